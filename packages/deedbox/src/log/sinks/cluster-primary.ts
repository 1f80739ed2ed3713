import cluster, { type Worker } from 'node:cluster'
import { isOurs, type ToPrimary, type ToWorker } from './cluster-messages.ts'
import { takeLeftLines } from './left-lines.ts'
import { isAlive } from './lock-file.ts'

/** A file that this process writes for its workers, or has written: what they leave is written all the same. */
interface Served {
  readonly write: (text: string) => void
  readonly isOpen: boolean
}

const files = new Map<string, Served>()

/** The number of the last message of each worker's sink. */
const lastNumbers = new Map<string, number>()

/** The workers that have asked, and how much of them is over: the process, the channel. */
const known = new Map<Worker, number>()

const ended: (() => void)[] = []

let isListening = false

/**
 * Writes the lines that workers of this process have for a file, from now on. Returns how to undo it; the workers then
 * write for themselves.
 * @param write must not throw
 */
export function serveWorkers(path: string, write: (text: string) => void): () => void {
  if (!isListening) {
    // For good: a worker's end counts as well when no file is written any more.
    isListening = true
    cluster.on('message', take)
    cluster.on('exit', endHalf)
    cluster.on('disconnect', endHalf)
  }
  files.set(path, { write, isOpen: true })
  // Of a worker whose messages are not read yet it is not known what is missing.
  const unread = new Set([...known.keys()].map(worker => worker.process.pid))
  takeLeft(path, pid => !unread.has(pid) && !isAlive(pid))
  announce(path, true)
  return () => {
    // Another sink may have taken the file over.
    if (files.get(path)?.write !== write) return
    files.set(path, { write, isOpen: false })
    announce(path, false)
  }
}

/** Resolves when the lines of all workers that are dead by now are written. */
export async function workersEnded(): Promise<void> {
  while ([...known.keys()].some(worker => worker.isDead()))
    await new Promise<void>(resolve => ended.push(resolve))
}

function announce(path: string, isOpen: boolean): void {
  for (const worker of Object.values(cluster.workers ?? {})) {
    if (worker !== undefined) tell(worker, { deedbox: 'log-file', path, isOpen })
  }
}

function tell(worker: Worker, message: ToWorker): void {
  // A worker that is gone meanwhile leaves its lines in a file.
  if (worker.isConnected()) worker.send(message, undefined, () => {})
}

function take(worker: Worker, message: unknown): void {
  if (!isOurs(message)) return
  const said = message as ToPrimary
  // Also of a worker that asks before a file is opened here it has to be known when it ends.
  if (!known.has(worker)) known.set(worker, 0)
  const file = files.get(said.path)
  if (!file?.isOpen) return
  if (said.deedbox === 'log-file?') {
    tell(worker, { deedbox: 'log-file', path: said.path, isOpen: true })
    return
  }
  const { key, number, text } = said
  file.write(text)
  lastNumbers.set(key, number)
  tell(worker, { deedbox: 'log-written', key, number })
}

/** Only when the process is dead and its channel is read to the end it is known what did not arrive. */
function endHalf(worker: Worker): void {
  const halves = known.get(worker)
  if (halves === 0) known.set(worker, 1)
  if (halves !== 1) return
  for (const path of files.keys()) takeLeft(path, pid => pid === worker.process.pid)
  for (const key of lastNumbers.keys()) {
    if (key.startsWith(`${worker.process.pid}-`)) lastNumbers.delete(key)
  }
  known.delete(worker)
  for (const resolve of ended.splice(0)) resolve()
}

function takeLeft(path: string, isEnded: (pid: number) => boolean): void {
  const file = files.get(path)
  if (file === undefined) return
  try {
    takeLeftLines(path, isEnded, key => lastNumbers.get(key) ?? 0, file.write)
  } catch {
    // No folder, no file of anybody.
  }
}
