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

/** What a process is told to end by. */
export const endSignals = ['SIGTERM', 'SIGINT'] as const

/** Milliseconds within which a further signal is the last one once more. */
const echo = 500

const registered = new Set<EndOfProcess>()
/** Listeners to the signals that end their part of the process first, and then call `end`. */
const holders = new Set<SignalListener>()
let flushing = false
let exhausted = false
/** The signal that this process ends by, and when it came. */
let ending: { readonly signal: NodeJS.Signals; readonly told: number } | undefined

type SignalListener = (signal: NodeJS.Signals) => void

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
      for (const signal of endSignals) process.off(signal, onSignal)
    }
    if (registered.size > 0) return
    process.off('beforeExit', flushBeforeExit)
    process.off('exit', flushAtExit)
  }
}

function hold(listener: SignalListener): () => void {
  holders.add(listener)
  for (const signal of endSignals) process.on(signal, listener)
  return () => {
    holders.delete(listener)
    for (const signal of endSignals) process.off(signal, listener)
  }
}

function countForeign(signal: NodeJS.Signals): number {
  const all = process.listeners(signal) as SignalListener[]
  return all.filter(each => each !== onSignal && !holders.has(each)).length
}

/**
 * Two copies of this package with handlers of their own would each take the other's for the service's. Every change of
 * what is shared here raises the number. (Ruling 3)
 */
const key: unique symbol = Symbol.for('deedbox.process-end.2') as never

interface Shared {
  [key]?: {
    readonly register: typeof register
    readonly hold: typeof hold
    readonly countForeign: typeof countForeign
    readonly end: typeof end
    readonly isEnding: () => boolean
  }
}

const shared = globalThis as Shared
shared[key] ??= { register, hold, countForeign, end, isEnding: () => ending !== undefined }

/**
 * Has an instance flushed when the process runs out of work, exits, or is told to end by SIGTERM or SIGINT.
 * A process without a handler of its own still ends by the signal, only after the flush; in one that has a
 * handler, that handler decides, and what waits is sent meanwhile. Returns how to undo it.
 */
export const registerEndOfProcess: (instance: EndOfProcess) => () => void = shared[key].register

/**
 * Listens to SIGTERM and SIGINT for a part that ends itself first, and calls `endBySignal` when it has. Returns how to undo
 * it.
 */
export const holdSignals: (listener: SignalListener) => () => void = shared[key].hold

/** How many listeners to a signal are the service's, and not of this package. */
export const countForeignListeners: (signal: NodeJS.Signals) => number = shared[key].countForeign

/**
 * Ends the process by a signal that it was told to end by, once what waits is delivered, or once there is no more time; where
 * the system ignores the signal, as for the first process of a container, with code 0. Other listeners had their time. With
 * other parts that hold the signals, the last one ends it.
 * @param letGo what `holdSignals` returned; called at the very end, since without a listener the next signal would end the
 * process
 */
export const endBySignal: (signal: NodeJS.Signals, letGo: () => void, hurry: AbortSignal) => Promise<void> =
  shared[key].end

/** Whether the flush is the one before this process ends by a signal, with no other handler to decide. */
export const isEndedBySignal: () => boolean = shared[key].isEnding

/** Whether a signal at this moment is the one of then once more: from a terminal or a supervisor of the whole group, and passed on by a parent. */
export function isEcho(told: number): boolean {
  return performance.now() - told <= echo
}

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

async function end(signal: NodeJS.Signals, letGo: () => void, hurry: AbortSignal): Promise<void> {
  ending = { signal, told: performance.now() }
  await Promise.race([
    flushAll(),
    new Promise(resolve => hurry.addEventListener('abort', resolve, { once: true })),
  ])
  letGo()
  if (holders.size > 0) {
    ending = undefined
    return
  }
  flushLast()
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  setImmediate(() => process.exit(0))
}

function listenToSignals(): void {
  if (!isMainThread) return
  for (const signal of endSignals) {
    // First in line, so that libraries that ask whether theirs is the only handler find it so; see onSignal.
    if (!process.listeners(signal).includes(onSignal)) process.prependListener(signal, onSignal)
  }
}

function onSignal(signal: NodeJS.Signals): void {
  if (ending !== undefined) {
    if (!isEcho(ending.told)) endNow(ending.signal)
    return
  }
  beginDraining(signal)
  for (const instance of registered) instance.flushLines()
  if (process.listenerCount(signal) > 1) {
    // The service's own handler decides. It may have decided to live on, or to raise the signal again once it is
    // done, which Nest does within the same turn of the loop; so the next signal is listened to at once.
    process.off(signal, onSignal)
    void flushAll()
    process.nextTick(listenAgain)
    return
  }
  // Still listened to: without a listener the signal's echo would end the process before the flush is done.
  ending = { signal, told: performance.now() }
  const wanting = [...registered].filter(instance => instance.onSignal)
  void Promise.all(wanting.map(instance => instance.flush(exitTimeout))).then(() => endNow(signal))
}

function endNow(signal: NodeJS.Signals): void {
  ending = undefined
  flushLast()
  process.off(signal, onSignal)
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  // Still here: a handler was added meanwhile, or the system ignores the signal (as for the first process of a container).
  setImmediate(listenAgain)
}

function listenAgain(): void {
  if ([...registered].some(instance => instance.onSignal)) listenToSignals()
}
