import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Run, run } from '../end-to-end/ledger-process.ts'

/** Tessera's checker of a whole log, at the version that these tests were written against. */
const fsckModule = 'github.com/transparency-dev/tessera/cmd/fsck@v1.0.4'

/** A log to be checked. */
export interface Served {
  /** Base URL, without a slash at its end. */
  url: string
  verifierKey: string
  /** Where the same key is. */
  keyFile: string
  /** Entries in its tree; of more than a thousand, about a thousand are proved. */
  size: number
}

/** An independent program, run on a log: its exit code is 0 when all holds. */
export type Checker = (log: Served) => Promise<Run>

/** Of every how many entries the inclusion is proved. */
export function strideOf(size: number): number {
  return Math.ceil(size / 1_000)
}

/**
 * Builds the checker in this folder into `folder`.
 *
 * @returns undefined when this machine cannot build it: the test is skipped with the reason
 */
export async function interopChecker(t: TestContext, folder: string): Promise<Checker | undefined> {
  if (!hasGo(t)) return undefined
  const cwd = import.meta.dirname
  const fetched = await run('go', ['mod', 'download'], { cwd })
  if (fetched.code !== 0) return skipped(t, `golang.org/x/mod cannot be fetched: ${fetched.stderr.trim()}`)
  const binary = join(folder, 'interop')
  const built = await run('go', ['build', '-o', binary, '.'], { cwd })
  if (built.code !== 0) throw new Error(`go build failed: ${built.stderr}`)
  return ({ url, verifierKey, size }) => run(binary, [`-stride=${strideOf(size)}`, url, verifierKey])
}

/** Builds Tessera's fsck from the Go module proxy into `folder`; undefined as above. */
export async function tesseraFsck(t: TestContext, folder: string): Promise<Checker | undefined> {
  if (!hasGo(t)) return undefined
  const built = await run('go', ['install', fsckModule], { env: { ...process.env, GOBIN: folder } })
  if (built.code !== 0)
    return skipped(t, `${fsckModule} cannot be built: ${built.stderr.trim().split('\n').at(-1)}`)
  return async ({ url, keyFile }) => {
    const args = [`--storage_url=${url}/`, `--public_key=${keyFile}`, '--ui=false', '--N=4']
    const { stdout, stderr } = await run(join(folder, 'fsck'), args)
    // This version of fsck says on standard error whether it failed and exits with 0 in either case.
    const passed = stderr.includes("Successfully fsck'd log") && !stderr.includes('fsck failed')
    // It prints whole tiles when they differ.
    return { code: passed ? 0 : 1, stdout, stderr: stderr.replace(/[0-9a-f]{200,}/g, '…') }
  }
}

function hasGo(t: TestContext): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    skipped(t, 'there is no "go" on the path')
    return false
  }
}

/** Where everything is supposed to be there, a skip is a failure. */
function skipped(t: TestContext, reason: string): undefined {
  if (process.env.CI) throw new Error(`The independent check needs Go and its module proxy: ${reason}`)
  t.skip(`independent check in Go: ${reason}`)
}
