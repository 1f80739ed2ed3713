import { isMainThread } from 'node:worker_threads'
import { beginDraining } from './draining.ts'
import { endTurns } from './request/index.ts'

/** What an instance does when its process ends. */
export interface EndOfProcess {
  /** Whether it wants its flush on SIGTERM and SIGINT. */
  readonly onSignal: boolean
  /** Delivers what waits, within the given milliseconds. Must not reject. */
  flush(timeout: number): Promise<unknown>
  /** Writes out the lines that only memory holds, before it returns. Must not throw. */
  flushLines(): void
  /** The last call: completes what cannot complete any more, and writes it out. Must not throw. */
  flushSync(): void
}

/** How long a process that wants to end is held, at most, to deliver what waits. */
const exitTimeout = 5_000

const signals = ['SIGTERM', 'SIGINT'] as const

const registered = new Set<EndOfProcess>()
let flushing = false
let exhausted = false

function register(instance: EndOfProcess): () => void {
  if (registered.size === 0) {
    process.on('beforeExit', flushBeforeExit)
    process.on('exit', flushAtExit)
  }
  registered.add(instance)
  if (instance.onSignal) listenToSignals()
  return () => {
    registered.delete(instance)
    if (![...registered].some(({ onSignal }) => onSignal)) {
      for (const signal of signals) process.off(signal, onSignal)
    }
    if (registered.size > 0) return
    process.off('beforeExit', flushBeforeExit)
    process.off('exit', flushAtExit)
  }
}

/** Two copies of this package with handlers of their own would each take the other's for the service's. (Ruling 3) */
const key: unique symbol = Symbol.for('deedbox.process-end.1') as never

interface Shared {
  [key]?: { readonly register: typeof register; readonly end: typeof end }
}

const shared = globalThis as Shared
shared[key] ??= { register, end }

/**
 * Has an instance flushed when the process runs out of work, exits, or is told to end by SIGTERM or SIGINT.
 * A process without a handler of its own still ends by the signal, only after the flush; in one that has a
 * handler, that handler decides, and what waits is sent meanwhile. Returns how to undo it.
 */
export const registerEndOfProcess: (instance: EndOfProcess) => () => void = shared[key].register

/**
 * Ends the process by a signal that it was told to end by, once what waits is delivered; where the system ignores the
 * signal, as for the first process of a container, with code 0. As long as another handler of the service listens to the
 * signal, that one decides.
 */
export const endBySignal: (signal: NodeJS.Signals) => Promise<void> = shared[key].end

/** Node emits `beforeExit` again when the flush ends, so a flush that ran out of time must be the last. */
function flushBeforeExit(): void {
  if (flushing || exhausted) return
  flushing = true
  void flushAll().then(delivered => {
    flushing = false
    exhausted = !delivered
  })
}

function flushAtExit(): void {
  endTurns()
  flushLast()
}

function flushLast(): void {
  for (const instance of registered) instance.flushSync()
}

async function flushAll(): Promise<boolean> {
  const results = await Promise.all([...registered].map(instance => instance.flush(exitTimeout)))
  return results.every(delivered => delivered !== false)
}

async function end(signal: NodeJS.Signals): Promise<void> {
  // So that one more signal ends it at once.
  process.off(signal, onSignal)
  await flushAll()
  if (process.listenerCount(signal) > 0) return listenAgain()
  flushLast()
  process.kill(process.pid, signal)
  setImmediate(() => process.exit(0))
}

function listenToSignals(): void {
  if (!isMainThread) return
  for (const signal of signals) {
    // First in line, so that libraries that ask whether theirs is the only handler find it so; see onSignal.
    if (!process.listeners(signal).includes(onSignal)) process.prependListener(signal, onSignal)
  }
}

function onSignal(signal: NodeJS.Signals): void {
  beginDraining(signal)
  for (const instance of registered) instance.flushLines()
  process.off(signal, onSignal)
  const wanting = [...registered].filter(instance => instance.onSignal)
  if (process.listenerCount(signal) > 0) {
    // The service's own handler decides. It may have decided to live on, or to raise the signal again once it is
    // done, which Nest does within the same turn of the loop; so the next signal is listened to at once.
    void flushAll()
    process.nextTick(listenAgain)
    return
  }
  void Promise.all(wanting.map(instance => instance.flush(exitTimeout))).then(() => {
    flushLast()
    if (process.listenerCount(signal) > 0) return
    process.kill(process.pid, signal)
    // Still here: the system ignores the signal for this process (as for the first one of a container).
    setImmediate(listenAgain)
  })
}

function listenAgain(): void {
  if ([...registered].some(instance => instance.onSignal)) listenToSignals()
}
