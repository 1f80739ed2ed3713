import { createHash, timingSafeEqual } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { LedgerError } from '../errors.ts'
import { makeFolder } from '../make-folder.ts'
import { fileGuard } from '../sequencer/index.ts'
import { sentenceOf, useLog } from '../store/index.ts'
import { syncFolder } from '../sync-folder.ts'
import type { CheckedLedger } from './check-received.ts'
import type { MoveStatus } from './wire.ts'

/** Where a server keeps what it has. */
export interface MovePlaces {
  folder: string
  database: string
  keysFolder: string
  /** Null: the rollback guard is switched off. */
  guardFolder: string | null
}

/** What a server keeps of the move that brought its ledger. */
interface MoveRecord {
  v: 1
  moveId: string
  /** SHA-256 of the token, in hex: who has it may ask how the move ended. */
  token: string
  /** Which server this is, as its answers before said. */
  server: string
  ledgers: CheckedLedger[]
}

/** Where a ledger lies until it is installed. */
export const stagingFolder = ({ folder }: Pick<MovePlaces, 'folder'>): string => join(folder, 'arriving')

const decisionFile = (places: Pick<MovePlaces, 'folder'>) => join(stagingFolder(places), 'install.json')
const recordFile = ({ folder }: Pick<MovePlaces, 'folder'>) => join(folder, 'arrived.json')

/** SHA-256 of a token, in hex. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/**
 * Whether everything that the installation will do can be done where the ledger is to be: after its decision there is
 * no way back. Leaves nothing behind but an empty keys folder.
 *
 * @throws LedgerError `ledger_exists` when there is another ledger or key; `storage_failed` when a folder cannot be
 *   written, or the database's is on another file system than what arrived
 */
export function checkPlaces(places: MovePlaces): void {
  checkFree(places)
  const { database, keysFolder, guardFolder } = places
  if (guardFolder !== null) fileGuard(guardFolder)
  const tried = (what: string, attempt: () => void) => {
    try {
      attempt()
    } catch (cause) {
      throw new LedgerError(
        'storage_failed',
        `The server cannot install a ledger here, as ${what}: ${sentenceOf(cause)}.`,
        { cause },
      )
    }
  }
  tried(`nothing can be linked into the folder of ${database}`, () => {
    rmSync(`${database}.probe`, { force: true })
    linkSync(join(stagingFolder(places), 'ledger.db'), `${database}.probe`)
    rmSync(`${database}.probe`)
  })
  tried(`no key can be put into ${keysFolder}`, () => {
    makeFolder(keysFolder)
    const probe = join(keysFolder, '.probe')
    rmSync(probe, { force: true })
    putKey(probe, '')
    rmSync(probe)
  })
}

/**
 * Makes the ledger in the staging folder the one of the data folder. The decision is one file that gets its name by
 * rename: before it nothing has happened, after it everything is done, by the next start if need be.
 *
 * @throws LedgerError `ledger_exists`, `storage_failed`; and what the file system says
 */
export function installMove(places: MovePlaces, decided: Omit<MoveRecord, 'v'>): void {
  const staging = stagingFolder(places)
  checkPlaces(places)
  for (const name of readdirSync(join(staging, 'keys'))) syncFile(join(staging, 'keys', name))
  syncFolder(join(staging, 'keys'))
  syncFile(join(staging, 'ledger.db'))
  const decision = decisionFile(places)
  writeFileSync(`${decision}.new`, JSON.stringify({ v: 1, ...decided }), { mode: 0o600, flush: true })
  renameSync(`${decision}.new`, decision)
  syncFolder(staging)
  finishInstall(places)
}

/**
 * Does what was decided and not done, if anything was. May be called again after a crash at any point. Where another
 * ledger or key has come into the place meanwhile, it touches nothing.
 *
 * @returns whether there was something to do
 * @throws LedgerError `ledger_exists` when another ledger or key has been put into its place
 */
export function finishInstall(places: MovePlaces): boolean {
  const decision = decisionFile(places)
  if (!existsSync(decision)) return false
  const { database, keysFolder, guardFolder, folder } = places
  const staging = stagingFolder(places)
  const record = JSON.parse(readFileSync(decision, 'utf8')) as MoveRecord
  const arrived = join(staging, 'ledger.db')
  checkFree(places)
  if (existsSync(arrived)) {
    // Before the ledger can be opened: the first opening compares with it.
    if (guardFolder !== null) {
      const guard = fileGuard(guardFolder)
      for (const { origin, note } of record.ledgers) guard.store(origin, note)
    }
    // Once it has both names, it may be in use under its own.
    if (!existsSync(database)) {
      useLog(arrived)
      syncFile(arrived)
    }
    placeOnce(arrived, database)
    syncFolder(folder)
  }
  makeFolder(keysFolder)
  for (const [name, text] of arrivedKeys(places)) putKey(join(keysFolder, name), text)
  syncFolder(keysFolder)
  writeFileSync(recordFile(places), JSON.stringify(record), { mode: 0o600, flush: true })
  syncFolder(folder)
  rmSync(arrived, { force: true })
  // The decision goes before the rest, so that the rest is never acted upon.
  rmSync(decision, { force: true })
  rmSync(staging, { recursive: true, force: true })
  syncFolder(folder)
  return true
}

/** Whether nothing of anybody else is where the ledger and its keys are to be; what is their own may be there. */
function checkFree(places: MovePlaces): void {
  const { database, keysFolder } = places
  const arrived = join(stagingFolder(places), 'ledger.db')
  if (existsSync(arrived) && existsSync(database) && !isSameFile(arrived, database)) throw taken(database)
  for (const [name, text] of arrivedKeys(places)) {
    const path = join(keysFolder, name)
    if (existsSync(path) && readFileSync(path, 'utf8') !== text) throw taken(path)
  }
}

function arrivedKeys(places: MovePlaces): [name: string, text: string][] {
  const keys = join(stagingFolder(places), 'keys')
  return existsSync(keys) ? readdirSync(keys).map(name => [name, readFileSync(join(keys, name), 'utf8')]) : []
}

/** By link, not by rename: that one would replace what somebody else has put there meanwhile. */
function placeOnce(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    // A crash between link and removal leaves one file with two names.
    if (!isSameFile(from, to)) throw taken(to)
  }
}

/** A copy, as the keys may be kept on a file system of their own. */
function putKey(path: string, text: string): void {
  const copy = `${path}.arriving`
  rmSync(copy, { force: true })
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return
  writeFileSync(copy, text, { mode: 0o600, flag: 'wx', flush: true })
  placeOnce(copy, path)
  rmSync(copy)
}

/** How a server's own move ended, for who has its token; undefined: there is no ledger that came by a move. */
export function installedMove(
  places: Pick<MovePlaces, 'folder' | 'database'>,
): { status: MoveStatus; opensTo(token: string): boolean } | undefined {
  const path = recordFile(places)
  // While something of the installation is left to do, the ledger in its place may be another one.
  if (existsSync(decisionFile(places)) || !existsSync(path) || !existsSync(places.database)) return undefined
  const { moveId, ledgers, server, token: hash } = JSON.parse(readFileSync(path, 'utf8')) as MoveRecord
  const shown = ledgers.map(({ name, origin, size, root }) => ({ name, origin, size, root }))
  return {
    status: { state: 'installed', moveId, ledgers: shown, server },
    opensTo: token => sameToken(token, hash),
  }
}

/** Compares in constant time. */
export function sameToken(token: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(tokenHash(token)), Buffer.from(hash))
}

function taken(path: string): LedgerError {
  return new LedgerError(
    'ledger_exists',
    `${path} is there, and nothing is written over a ledger or its key. Move it away, or name another folder with --data.`,
  )
}

function isSameFile(one: string, other: string): boolean {
  const [a, b] = [statSync(one), statSync(other)]
  return a.ino === b.ino && a.dev === b.dev
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r+')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
