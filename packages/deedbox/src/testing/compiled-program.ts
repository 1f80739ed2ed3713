import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const compiler = fileURLToPath(new URL('../../../../node_modules/typescript/bin/tsc', import.meta.url))
const errorsRoom = new URL('../errors/index.ts', import.meta.url).href

/** How a run ended, and what it printed; the folder of the program is written as `<folder>`. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A TypeScript program that was compiled with source maps, in a folder of its own. */
export interface CompiledProgram {
  readonly folder: string
  /** Runs a file of `out`. */
  run(
    name: string,
    how?: { readonly flags?: readonly string[]; readonly env?: Readonly<Record<string, string>> },
  ): Promise<Ended>
}

/**
 * Writes the given files into `src` of a temporary folder, which goes with the test, and compiles those in TypeScript to
 * `out`. `ERRORS` in a file stands for the address of the room `errors`.
 */
export async function compiledProgram(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  compilerOptions: Readonly<Record<string, unknown>> = {},
): Promise<CompiledProgram> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'deedbox errors (compiled) ')))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text.replaceAll('ERRORS', errorsRoom))
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const options = {
    target: 'es2022',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: [],
    noCheck: true,
    sourceMap: true,
    rootDir: 'src',
    outDir: 'out',
    ...compilerOptions,
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, include: ['src/**/*.ts'] }),
  )
  const compiled = await runNode([compiler, '-p', folder], {}, folder)
  if (compiled.code !== 0) throw new Error(`does not compile:\n${compiled.stdout}${compiled.stderr}`)
  return {
    folder,
    run: (name, { flags = [], env = {} } = {}) =>
      runNode(['--conditions=@deedbox/source', ...flags, join(folder, 'out', name)], env, folder),
  }
}

function runNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  folder: string,
): Promise<Ended> {
  return new Promise(done => {
    const variables = { PATH: process.env.PATH ?? '', ...env }
    execFile(process.execPath, args, { env: variables, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1
      done({
        code,
        stdout: stdout.replaceAll(folder, '<folder>'),
        stderr: stderr.replaceAll(folder, '<folder>'),
      })
    })
  })
}
