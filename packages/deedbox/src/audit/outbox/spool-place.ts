import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { uuid7 } from '../../request/index.ts'
import { leaveOwnership, markFile, ownerFile, takeOwnership } from './spool-owner.ts'

// <folder>/<service>/<ledger>/<producer>: what waits for one ledger is never sent to another.

/** In the folder of a ledger: which one it is, for people and for the command. */
export const ledgerFile = 'ledger.json'
/** In the folder of a ledger: what it refused for good. */
export const deadFolder = 'dead-letters'
/** In the folder of a ledger: files of spools that could not be read to their end. Nothing takes them up again. */
export const damagedFolder = 'damaged'
/** Where the files of a damaged spool go: beside the spools of its ledger, under a name that nothing has yet. */
export function asideOf(ledger: string, producerId: string): string {
  return join(ledger, damagedFolder, `${producerId}.${uuid7()}`)
}

/** In the folder of a producer: the spools that it took over. */
export const adoptedFolder = 'adopted'

/** The name of a file of events. */
export const segmentFile: RegExp = /^\d{8}\.events$/

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
  /** Lets others have it; one that holds nothing for them is removed, if it can be. Throws nothing. */
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
  let made = unfinished
  let fd: number
  try {
    mkdirSync(unfinished, { recursive: true, mode: 0o700 })
    takeOwnership(unfinished, producerId)
    writeFileSync(join(unfinished, markFile), Buffer.alloc(8), { mode: 0o600 })
    renameSync(unfinished, path)
    made = path
    fd = openSync(join(path, markFile), 'r+')
  } catch (error) {
    removeOwn(made)
    leaveOwnership(made, producerId)
    throw error
  }
  const bytes = Buffer.alloc(8)
  return {
    path,
    mark: highWater => {
      bytes.writeDoubleBE(highWater)
      writeSync(fd, bytes, 0, 8, 0)
    },
    leave: isEmpty => {
      try {
        closeSync(fd)
      } catch {
        // The number is written at once, or not at all.
      }
      if (isEmpty) removeOwn(path)
      leaveOwnership(path, producerId)
    },
  }
}

/**
 * Removes a folder of this process's own, with what this process has written. A spool that is being taken over may be
 * renamed into it at this very moment: so only files that are known go, and a folder that is not empty stays.
 */
function removeOwn(path: string): void {
  attempt(() => rmdirSync(join(path, adoptedFolder)))
  attempt(() => rmdirSync(join(path, deadFolder)))
  if (existsSync(join(path, adoptedFolder)) || existsSync(join(path, deadFolder))) return
  attempt(() => {
    for (const name of readdirSync(path))
      if (segmentFile.test(name)) attempt(() => unlinkSync(join(path, name)))
  })
  for (const name of [markFile, ownerFile]) attempt(() => unlinkSync(join(path, name)))
  attempt(() => rmdirSync(path))
}

function attempt(removal: () => void): void {
  try {
    removal()
  } catch {
    // Not there, or not to be removed: whoever comes next takes it over.
  }
}

/**
 * Removes a spool that was taken over, unless there is another one in it, or dead letters that were taken for a while.
 * @throws what the file system throws
 */
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
