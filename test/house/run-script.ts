import { spawn } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of this repository. */
export const repository: string = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** What a process printed and how it ended. */
export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs Node, the running one or the given one, from the repository's root and waits for its end. */
export function runNode(args: string[], node: string = process.execPath): Promise<Outcome> {
  return new Promise((done, fail) => {
    const child = spawn(node, args, {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(),
    })
    const [stdout, stderr] = [child.stdout, child.stderr].map(stream => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      return chunks
    })
    child.on('error', fail)
    child.on('close', code => done({ code, stdout: textOf(stdout), stderr: textOf(stderr) }))
  })
}

function textOf(chunks: Buffer[] = []): string {
  return Buffer.concat(chunks).toString('utf8')
}

/** Without what the test runner tells its own children: a script that runs tests would take itself for one. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...rest } = process.env
  return rest
}
