import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { leaveOwnership, markFile, takeOwnership } from './spool-owner.ts'

// <folder>/<service>/<ledger>/<producer>: what waits for one ledger is never sent to another.

/** In the folder of a ledger: which one it is, for people and for the command. */
export const ledgerFile = 'ledger.json'
/** In the folder of a ledger: what it refused for good. */
export const deadFolder = 'dead-letters'
/** In the folder of a producer: the spools that it took over. */
export const adoptedFolder = 'adopted'

/** Where spools are unless somebody says otherwise: in the user's state folder. */
export function defaultSpoolFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const { XDG_STATE_HOME, LOCALAPPDATA } = environment
  if (XDG_STATE_HOME) return join(XDG_STATE_HOME, 'deedbox', 'spool')
  if (process.platform === 'win32') {
    return join(LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'deedbox', 'spool')
  }
  if (process.platform === 'darwin')
    return join(homedir(), 'Library', 'Application Support', 'deedbox', 'spool')
  return join(homedir(), '.local', 'state', 'deedbox', 'spool')
}

/** The folder of what a service sends to a ledger. Two names that look the same in a path stay two. */
export function ledgerFolder(spool: string, service: string, ledger: string): string {
  return join(spool, safeName(service), digest(ledger))
}

/** A name that is a folder's on each system, and nobody else's. */
export function safeName(text: string): string {
  const safe = text.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 80)
  return safe === text && !/^\.|\.$/.test(text) ? text : `${safe.replace(/^\.+|\.+$/g, '_')}-${digest(text)}`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

/** A folder of one producer, with the file of its highest number open. */
export interface ProducerFolder {
  readonly path: string
  /** Writes the highest number. @throws what the file system throws */
  mark(highWater: number): void
  /** Lets others have it; an empty one is removed. */
  leave(isEmpty: boolean): void
}

/**
 * Makes the folder of a producer. It appears complete: with its owner, so that nobody takes it for an orphan's.
 * @throws what the file system throws
 */
export function makeProducerFolder(
  ledger: { readonly folder: string; readonly service: string; readonly name: string },
  producerId: string,
): ProducerFolder {
  const path = join(ledger.folder, producerId)
  const unfinished = `${path}.new`
  mkdirSync(ledger.folder, { recursive: true, mode: 0o700 })
  describeLedger(ledger)
  mkdirSync(unfinished, { mode: 0o700 })
  try {
    takeOwnership(unfinished, producerId)
    writeFileSync(join(unfinished, markFile), Buffer.alloc(8), { mode: 0o600 })
    renameSync(unfinished, path)
  } catch (error) {
    leaveOwnership(unfinished, producerId)
    rmSync(unfinished, { recursive: true, force: true })
    throw error
  }
  const fd = openSync(join(path, markFile), 'r+')
  const bytes = Buffer.alloc(8)
  return {
    path,
    mark: highWater => {
      bytes.writeDoubleBE(highWater)
      writeSync(fd, bytes, 0, 8, 0)
    },
    leave: isEmpty => {
      closeSync(fd)
      if (isEmpty) removeSpool(path)
      leaveOwnership(path, producerId)
    },
  }
}

/** Removes a spool, unless there is another one in it, or dead letters that were taken for a while. */
export function removeSpool(path: string): void {
  for (const name of [adoptedFolder, deadFolder]) {
    const inner = join(path, name)
    if (existsSync(inner) && readdirSync(inner).length > 0) return
  }
  rmSync(path, { recursive: true, force: true })
}

/** The highest number of an event that a producer had, also of those that never came into its spool; 0 if unknown. */
export function readMark(folder: string): number {
  const bytes = Buffer.alloc(8)
  try {
    const fd = openSync(join(folder, markFile), 'r')
    try {
      if (readSync(fd, bytes, 0, 8, 0) < 8) return 0
    } finally {
      closeSync(fd)
    }
  } catch {
    return 0
  }
  const highWater = bytes.readDoubleBE()
  return Number.isSafeInteger(highWater) && highWater > 0 ? highWater : 0
}

function describeLedger(ledger: {
  readonly folder: string
  readonly service: string
  readonly name: string
}): void {
  const text = `${JSON.stringify({ service: ledger.service, ledger: ledger.name })}\n`
  try {
    writeFileSync(join(ledger.folder, ledgerFile), text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
