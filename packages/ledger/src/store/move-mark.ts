import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { LedgerError } from '../errors.ts'
import { syncFolder } from '../sync-folder.ts'

/** One ledger of a file that is carried to a server: what both sides compare. */
export interface MovedLedger {
  name: string
  origin: string
  /** Entries. */
  size: number
  /** Root hash of the tree of that size, base64. */
  root: string
}

/** What stands beside a file whose ledger is carried to a server, or was. */
export interface MoveMark {
  v: 1
  /**
   * `moving`: closed, and the server was not asked to install it, so it never will be; `installing`: it was asked, so
   * only the server can say; `moved`: it did.
   */
  state: 'moving' | 'installing' | 'moved'
  url: string
  moveId: string
  /** Which server was asked to install it: at the same address there may be another one later, which knows nothing. */
  server?: string
  /** ISO 8601 in UTC. */
  at: string
  /** Empty until the file is closed and verified. */
  ledgers: MovedLedger[]
}

const markFile = (database: string) => `${database}.moved`

/**
 * The mark beside a database, or null.
 *
 * @throws LedgerError `ledger_moved` when there is one that nobody can read
 */
export function readMoveMark(database: string): MoveMark | null {
  const path = markFile(database)
  if (!existsSync(path)) return null
  try {
    const mark = JSON.parse(readFileSync(path, 'utf8')) as MoveMark
    if (mark.v === 1 && typeof mark.url === 'string' && typeof mark.moveId === 'string') return mark
  } catch {
    // Told below: a mark that cannot be read still says that there was a move.
  }
  throw new LedgerError(
    'ledger_moved',
    `${path} says that this ledger was moved to a server, and cannot be read any more. Nothing is written to ${database}: ` +
      'find out which server has the ledger now.',
  )
}

/** Writes the mark durably. Throws what the file system says. */
export function writeMoveMark(database: string, mark: MoveMark): void {
  const path = markFile(database)
  const descriptor = openSync(`${path}.new`, 'w', 0o600)
  writeSync(descriptor, `${JSON.stringify(mark, null, 2)}\n`)
  fsyncSync(descriptor)
  closeSync(descriptor)
  renameSync(`${path}.new`, path)
  syncFolder(dirname(path))
}

/** Takes the mark away, once the file can be written to again. */
export function removeMoveMark(database: string): void {
  rmSync(markFile(database), { force: true })
  syncFolder(dirname(database))
}

/** A database gets another name, and its mark goes along. */
export function renameMoveMark(from: string, to: string): void {
  if (existsSync(markFile(from))) renameSync(markFile(from), markFile(to))
}

/**
 * To be asked before a file is opened for writing or made.
 *
 * @throws LedgerError `ledger_moved` when it was carried to a server, or is being carried
 */
export function refuseMoved(database: string): void {
  const mark = readMoveMark(database)
  if (mark === null) return
  const { url, state } = mark
  throw new LedgerError(
    'ledger_moved',
    state === 'moved'
      ? `The ledger ${database} was moved to ${url}, which goes on with it; this file can be read and verified, not ` +
          `written to. Send the events there: ledger: { url: '${url}', apiKey }.`
      : `The ledger ${database} is being moved to ${url}. "deedbox move ${database} --to ${url}" finishes that; the same ` +
          'with --cancel gives it up.',
  )
}
