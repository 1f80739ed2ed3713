import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'

/** The repository's root. */
export const root: string = resolve(import.meta.dirname, '..', '..')

/** The built command, as `npx deedbox` runs it. */
export const command: string = join(root, 'packages', 'deedbox', 'bin', 'deedbox.js')

/** A folder that goes with the test. */
export function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-e2e-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Variables of a ledger that keeps everything in one folder of the test. */
export function ledgerEnv(folder: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  // Node's test runner forces colours when a terminal shows its report.
  const { DEEDBOX_URL, DEEDBOX_API_KEY, FORCE_COLOR, ...inherited } = process.env
  return {
    ...inherited,
    DEEDBOX_DATA: join(folder, 'data'),
    DEEDBOX_GUARD: join(folder, 'guard'),
    PORT: '0',
    ...more,
  }
}

/** A running `deedbox serve`. */
export interface LedgerProcess {
  child: ChildProcess
  url: string
  /** Everything on standard output so far. */
  stdout(): string
  stderr(): string
}

/**
 * Starts `deedbox serve` as a process of its own and waits until it has said that it is ready.
 *
 * @param through a program and its options that are to start it, such as a tracer
 */
export async function startLedger(
  t: TestContext,
  folder: string,
  more: Record<string, string> = {},
  through: readonly string[] = [],
): Promise<LedgerProcess> {
  const [program = '', ...args] = [...through, process.execPath, command, 'serve']
  const child = spawn(program, args, {
    env: ledgerEnv(folder, more),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    err += text
  })
  const ready = () => /address +(http:\S+)\n[\s\S]*without trusting it\.\n/.exec(out)?.[1]
  while (ready() === undefined) {
    const [event] = await Promise.race([
      once(child.stdout, 'data').then(() => ['data']),
      once(child, 'exit').then(() => ['exit']),
    ])
    if (event === 'exit' && ready() === undefined) throw new Error(`deedbox serve ended: ${err}`)
  }
  return { child, url: ready() ?? '', stdout: () => out, stderr: () => err }
}

/** Ends a ledger with a signal and resolves to its exit code, or the signal that ended it. */
export async function stopLedger(
  ledger: LedgerProcess,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<number | string> {
  const gone = once(ledger.child, 'exit')
  ledger.child.kill(signal)
  const [code, by] = await gone
  return code ?? by
}

/** What a command printed and how it ended. */
export interface Run {
  code: number
  stdout: string
  stderr: string
}

/** Runs a program to its end. */
export function run(
  file: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Run> {
  return new Promise(done => {
    execFile(
      file,
      args,
      { env: process.env, ...options, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        done({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr })
      },
    )
  })
}

/** Runs the built `deedbox` command. */
export function deedbox(
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Run> {
  return run(process.execPath, [command, ...args], options)
}

/** Re-reads a data folder with the real command and asserts the verdict. */
export async function assertVerdict(
  folder: string,
  key: string,
  verdict: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Run> {
  const verified = await deedbox(['verify', '--data', join(folder, 'data'), '--key', key], { env })
  assert.equal(verified.stdout.split('\n')[0], verdict, verified.stdout + verified.stderr)
  return verified
}

/** The verifier key that a ledger printed when it started. */
export function printedKey(ledger: LedgerProcess): string {
  return /verifier key +(\S+)/.exec(ledger.stdout())?.[1] ?? ''
}
