import { type ChildProcess, execFile, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { LoadJob, LoadResult, TurnsJob } from './load/job.ts'
import type { Announcement } from './peers/serve.ts'

/** The API key of every ledger that is measured; nobody else ever sees one of them. */
export const benchKey = 'deed_live_bench_0000000000000000000000000000000'

/** The built command, as `npx deedbox` runs it. */
export const deedboxCommand: string = resolve(import.meta.dirname, '../packages/deedbox/bin/deedbox.js')

/** A server that answers on a port of this machine. */
export interface RunningServer {
  port: number
  pid: number
  /** What a peer with a database says about its settings. */
  settings: Announcement['settings']
  /** Sends a peer a message and resolves to what it answers. */
  ask(message: object): Promise<unknown>
  stop(): Promise<void>
}

/** Where one run of the benchmarks happens: a folder of its own and the processes it started. */
export interface Workshop {
  /** A new, empty folder inside the run's own. */
  newFolder(name: string): string
  /** Starts a file of `bench/peers/` that says by process message that it is ready. Its output goes to /dev/null. */
  startPeer(file: string, args?: readonly string[]): Promise<RunningServer>
  /** Starts `deedbox serve` on `<folder>/data` as built and resolves once it says that it is ready. */
  startLedger(folder: string): Promise<RunningServer>
  /** Runs a file of `bench/` as a process and resolves to the JSON that it prints. */
  runJson<Result>(file: string, args: readonly string[]): Promise<Result>
  /** Sends load from a process of its own, which is pinned to the last core if there are two and `taskset`. */
  load(job: LoadJob): Promise<LoadResult>
  /** The same for several servers in turn; a result for each. */
  loadInTurns(job: TurnsJob): Promise<LoadResult[]>
  /** Whether the load generator is pinned. */
  readonly pinned: boolean
  /** Ends what still runs and removes the folder. */
  close(): Promise<void>
}

/** The variables of every process here: the caller's, without what would make it another ledger's. */
export function benchEnv(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(DEEDBOX|IMTBL)_|^NODE_OPTIONS$/.test(name))
  return { ...Object.fromEntries(kept), NODE_ENV: 'production', ...more }
}

/** The variables of `deedbox serve`, and of `deedbox verify`, on `<folder>/data`. */
export function ledgerEnv(folder: string): NodeJS.ProcessEnv {
  return benchEnv({
    DEEDBOX_DATA: join(folder, 'data'),
    DEEDBOX_GUARD: join(folder, 'guard'),
    DEEDBOX_BOOTSTRAP_KEY: benchKey,
    HOST: '127.0.0.1',
    PORT: '0',
  })
}

/** Makes the workshop, in the system's folder for temporary files: choose its disk with TMPDIR. */
export function openWorkshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-bench-'))
  const running = new Set<ChildProcess>()
  const pinned = availableParallelism() >= 2 && spawnSync('taskset', ['--version']).status === 0
  const loadCore = String(availableParallelism() - 1)

  const start = (command: string, args: readonly string[], options: SpawnOptions): ChildProcess => {
    const child = spawn(command, args, options)
    running.add(child)
    child.once('exit', () => running.delete(child))
    return child
  }
  const serverOf = (child: ChildProcess, { port, settings }: Announcement): RunningServer => ({
    port,
    settings,
    pid: child.pid ?? 0,
    ask: async message => {
      const answer = once(child, 'message')
      child.send(message)
      return (await answer)[0]
    },
    stop: async () => {
      if (!running.has(child)) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  })
  const generate = async (file: string, job: LoadJob | TurnsJob): Promise<unknown> => {
    const program = [process.execPath, join(import.meta.dirname, 'load', file), JSON.stringify(job)]
    const [command = '', ...args] = pinned ? ['taskset', '-c', loadCore, ...program] : program
    const child = start(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: benchEnv() })
    const said = collect(child)
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`The load generator failed: ${said.stderr}`)
    return JSON.parse(said.stdout)
  }

  return {
    pinned,
    newFolder: name => mkdtempSync(join(folder, `${name}-`)),
    async startPeer(file, args = []) {
      const path = join(import.meta.dirname, 'peers', file)
      const child = start(process.execPath, [path, ...args], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        env: benchEnv(),
      })
      const said = collect(child)
      const announcement = await Promise.race([
        once(child, 'message').then(([message]) => message as Announcement),
        once(child, 'exit').then(() => Promise.reject(new Error(`${file} ended: ${said.stderr}`))),
      ])
      return serverOf(child, announcement)
    },
    async startLedger(at) {
      const child = start(process.execPath, [deedboxCommand, 'serve'], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: ledgerEnv(at),
      })
      const said = collect(child)
      const ready = (): string | undefined =>
        /address +http:\S+:(\d+)\n[\s\S]*without trusting it\.\n/.exec(said.stdout)?.[1]
      while (ready() === undefined) {
        const gone = once(child, 'exit').then(() => Promise.reject(new Error(`serve ended: ${said.stderr}`)))
        await Promise.race([once(child.stdout!, 'data'), gone])
      }
      return serverOf(child, { port: Number(ready()), settings: {} })
    },
    async runJson(file, args) {
      const path = join(import.meta.dirname, file)
      const child = promisify(execFile)(process.execPath, [path, ...args], { env: benchEnv() })
      running.add(child.child)
      child.child.once('exit', () => running.delete(child.child))
      return JSON.parse((await child).stdout)
    },
    load: async job => (await generate('main.ts', job)) as LoadResult,
    loadInTurns: async job => (await generate('turns.ts', job)) as LoadResult[],
    async close() {
      for (const child of [...running]) {
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What a process says, as it says it. Only the end of long output is kept. */
function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      said[stream] = (said[stream] + text).slice(-65_536)
    })
  }
  return said
}
