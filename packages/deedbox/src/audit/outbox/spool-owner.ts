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

/** After so long by the clock of this machine an unseen owner is taken for dead at a glance: to say so, not to act. */
const seemsDeadAfter = 15 * 60_000

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
  ours.delete(name)
  try {
    rmSync(join(folder, ownerFile), { force: true })
  } catch {
    // Then it is anybody's once this process is gone.
  }
}

/** What is known of the owner of a spool. */
export function livenessOf(folder: string, name: string): Liveness {
  if (ours.has(name)) return 'alive'
  const owner = readOwner(folder)
  if (owner === undefined) return 'dead'
  if (owner === 'unreadable') return 'unknown'
  const here = thisOwner()
  if (owner.space !== null && owner.space === here.space) {
    const started = startOf(owner.pid)
    if (started === 'unreadable') return 'unknown'
    if (started !== owner.started) return 'dead'
  } else if (owner.space === null && here.space === null && owner.host === here.host) {
    if (!isRunning(owner.pid)) return 'dead'
    // The number may be another process's by now.
    return 'unknown'
  } else return 'unknown'
  // The process lives. A thread of it may have ended without a word, or an instance that was closed.
  if (owner.thread === 0 && owner.pid !== process.pid) return 'alive'
  return 'unknown'
}

/** Tells the dead from the living by their signs of life, and by the watcher's own clock alone. */
export class SignWatch {
  readonly #now: () => number
  readonly #seen = new Map<string, { time: number; since: number }>()

  /** @param now a monotonic clock, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Whether the spool's owner was seen to give no sign for so long that it must be dead. Never at the first look. */
  isSilent(folder: string): boolean {
    const time = lastSign(folder)
    const now = this.#now()
    const seen = this.#seen.get(folder)
    if (seen === undefined || seen.time !== time) {
      this.#seen.set(folder, { time, since: now })
      return false
    }
    return now - seen.since > silentAfter
  }
}

/** Whether a spool's owner seems to be dead at a glance. Clocks may differ, so nothing is to follow from it. */
export function seemsSilent(folder: string): boolean {
  return Date.now() - lastSign(folder) > seemsDeadAfter
}

/** The time of the last sign of life; 0 where there is none to be seen. */
function lastSign(folder: string): number {
  try {
    return statSync(join(folder, markFile)).mtimeMs
  } catch {
    return 0
  }
}

/** `undefined` if there is none for sure: that something cannot be read now says nothing. */
function readOwner(folder: string): SpoolOwner | 'unreadable' | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, ownerFile), 'utf8'))
    return isOwner(value) ? value : 'unreadable'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'unreadable'
  }
}

function isOwner(value: unknown): value is SpoolOwner {
  if (typeof value !== 'object' || value === null) return false
  const { pid, host, space, started, thread } = value as Record<string, unknown>
  return (
    Number.isSafeInteger(pid) &&
    (pid as number) > 0 &&
    typeof host === 'string' &&
    (space === null || typeof space === 'string') &&
    (started === null || typeof started === 'string') &&
    typeof thread === 'number'
  )
}

let here: SpoolOwner | undefined

function thisOwner(): SpoolOwner {
  if (here !== undefined) return here
  const started = startOf(process.pid)
  const isKnown = started !== undefined && started !== 'unreadable'
  here = {
    pid: process.pid,
    host: hostname(),
    // Without the one, the other would make this process look like a dead one.
    space: isKnown ? processSpace() : null,
    started: isKnown ? started : null,
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

/** When a process began, in the system's own counting; `undefined` if there is none for sure. */
function startOf(pid: number): string | 'unreadable' | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program stands in brackets and may hold anything.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : rest[18]
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ESRCH' ? undefined : 'unreadable'
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
