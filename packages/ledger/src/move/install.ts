import { createHash, timingSafeEqual } from 'node:crypto'
import {
  chmodSync,
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
import { useLog } from '../store/index.ts'
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
 * Makes the ledger in the staging folder the one of the data folder. The decision is one file that gets its name by
 * rename: before it nothing has happened, after it everything is done, by the next start if need be.
 *
 * @throws LedgerError `ledger_exists`; and what the file system says
 */
export function installMove(places: MovePlaces, decided: Omit<MoveRecord, 'v'>): void {
  const staging = stagingFolder(places)
  if (existsSync(places.database)) throw taken(places)
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
 * Does what was decided and not done, if anything was. May be called again after a crash at any point.
 *
 * @returns whether there was something to do
 * @throws LedgerError `ledger_exists` when another ledger has been put into its place
 */
export function finishInstall(places: MovePlaces): boolean {
  const decision = decisionFile(places)
  if (!existsSync(decision)) return false
  const staging = stagingFolder(places)
  const record = JSON.parse(readFileSync(decision, 'utf8')) as MoveRecord
  const arrived = join(staging, 'ledger.db')
  if (existsSync(arrived)) {
    useLog(arrived)
    syncFile(arrived)
  }
  // Before the ledger can be opened: the first opening compares with it.
  if (places.guardFolder !== null) {
    const guard = fileGuard(places.guardFolder)
    for (const { origin, note } of record.ledgers) guard.store(origin, note)
  }
  makeFolder(places.keysFolder)
  const keys = join(staging, 'keys')
  for (const name of existsSync(keys) ? readdirSync(keys) : []) {
    chmodSync(join(keys, name), 0o600)
    renameSync(join(keys, name), join(places.keysFolder, name))
  }
  syncFolder(places.keysFolder)
  writeFileSync(recordFile(places), JSON.stringify(record), { mode: 0o600, flush: true })
  putInPlace(arrived, places)
  // The decision goes before the rest, so that the rest is never acted upon.
  rmSync(decision, { force: true })
  rmSync(staging, { recursive: true, force: true })
  syncFolder(places.folder)
  return true
}

/** By link, not by rename: that one would replace what somebody else has put there meanwhile. */
function putInPlace(arrived: string, places: MovePlaces): void {
  if (!existsSync(arrived)) return
  try {
    linkSync(arrived, places.database)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    // A crash between link and removal leaves one file with two names.
    if (!isSameFile(arrived, places.database)) throw taken(places)
  }
  syncFolder(places.folder)
  rmSync(arrived)
}

/** How a server's own move ended, for who has its token; undefined: there is no ledger that came by a move. */
export function installedMove(
  places: Pick<MovePlaces, 'folder' | 'database'>,
): { status: MoveStatus; opensTo(token: string): boolean } | undefined {
  const path = recordFile(places)
  if (!existsSync(path) || !existsSync(places.database)) return undefined
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

function taken({ database }: MovePlaces): LedgerError {
  return new LedgerError(
    'ledger_exists',
    `${database} is there, and nothing is written over a ledger. Move it away, or name another folder with --data.`,
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
