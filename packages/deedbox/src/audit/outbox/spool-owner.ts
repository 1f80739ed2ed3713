import { readFileSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'

// Whether the process that a spool belongs to still lives. A number of a process alone does not say: it is used again, it
// is 1 in each container, and on another host it means nothing.

/** What an owner writes down about itself. */
export interface SpoolOwner {
  readonly pid: number
  readonly host: string
  /** Of the boot and the space of process numbers; null where the system does not tell. */
  readonly space: string | null
  /** When the process began, as the system tells it; null where it does not. */
  readonly started: string | null
  /** 0 for the main thread. */
  readonly thread: number
}

/** `unknown` is a process that cannot be seen from here: then its signs of life decide. */
export type Liveness = 'alive' | 'dead' | 'unknown'

/** Milliseconds between two signs of life, and without one after which an unseen owner is dead. */
export const signEvery = 15_000
export const silentAfter = 75_000

/** For a sign of life that another machine's clock dated. Milliseconds. */
const longSilence = 15 * 60_000

export const ownerFile = 'owner.json'
/** Holds the highest number of an event; its time is the last sign of life. */
export const markFile = 'mark'

/** Spools that instances of this thread have. */
const ours = new Set<string>()

/** Writes down that a spool is this process's. */
export function takeOwnership(folder: string, name: string): void {
  writeFileSync(join(folder, ownerFile), JSON.stringify(thisOwner()), { mode: 0o600 })
  ours.add(name)
}

/** Whether a spool is one of this thread's own. */
export function isOurs(name: string): boolean {
  return ours.has(name)
}

/** Gives a sign of life. @returns whether the spool is still there */
export function giveSign(folder: string): boolean {
  const now = new Date()
  try {
    utimesSync(join(folder, markFile), now, now)
    return true
  } catch {
    return false
  }
}

/** From now on the spool is anybody's. */
export function leaveOwnership(folder: string, name: string): void {
  rmSync(join(folder, ownerFile), { force: true })
  ours.delete(name)
}

/** What is known of the owner of a spool. */
export function livenessOf(folder: string, name: string): Liveness {
  if (ours.has(name)) return 'alive'
  const owner = readOwner(folder)
  if (owner === undefined) return 'dead'
  const here = thisOwner()
  if (owner.space !== null && owner.space === here.space) {
    if (startOf(owner.pid) !== owner.started) return 'dead'
  } else if (owner.space === null && here.space === null && owner.host === here.host) {
    if (!isRunning(owner.pid)) return 'dead'
    // The number may be another process's by now.
    return 'unknown'
  } else return 'unknown'
  // The process lives. A thread of it may have ended without a word, or an instance that was closed.
  if (owner.thread === 0 && owner.pid !== process.pid) return 'alive'
  return 'unknown'
}

/** Tells the dead from the living by their signs of life. */
export class SignWatch {
  readonly #seen = new Map<string, { time: number; since: number }>()

  /** Whether the spool's owner gave no sign for so long that it must be dead. */
  isSilent(folder: string): boolean {
    let time: number
    try {
      time = statSync(join(folder, markFile)).mtimeMs
    } catch {
      return true
    }
    if (Date.now() - time > longSilence) return true
    const now = performance.now()
    const seen = this.#seen.get(folder)
    if (seen === undefined || seen.time !== time) {
      this.#seen.set(folder, { time, since: now })
      return false
    }
    return now - seen.since > silentAfter
  }
}

function readOwner(folder: string): SpoolOwner | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, ownerFile), 'utf8')) as SpoolOwner
  } catch {
    return undefined
  }
}

let here: SpoolOwner | undefined

function thisOwner(): SpoolOwner {
  here ??= {
    pid: process.pid,
    host: hostname(),
    space: processSpace(),
    started: startOf(process.pid) ?? null,
    thread: threadId,
  }
  return here
}

/** The boot and the space of process numbers: within the two, a number and a start name one process. */
function processSpace(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return null
  }
}

/** When a process began, in the system's own counting; `undefined` if there is none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program stands in brackets and may hold anything.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : rest[18]
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
