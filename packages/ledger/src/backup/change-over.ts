import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileGuard } from '../sequencer/index.ts'
import { renameMoveMark } from '../store/index.ts'
import { syncFolder } from '../sync-folder.ts'

/** A new ledger that is complete and waits to take the place of the old one. */
export interface ChangeOver<Report> {
  /** Name in the data folder that the old database gets. */
  closedFile: string
  /** Name in the keys folder that the old signing key gets; null: there is none. */
  closedKey: string | null
  /** `main.signing-key`, for the ledger `main`. */
  keyFile: string
  /** The head of the old ledger, as signed: what takes the place of exactly this one may take the place of no other. */
  oldNote: string
  /** The new ledger and its head, as signed, for the rollback guard. */
  opened: { origin: string; note: string }
  report: Report
}

/** How far a change has come: the old database is in its place; it has left it; the new one has come. */
export type Stage = 'waiting' | 'begun' | 'done'

interface Places {
  folder: string
  database: string
  keysFolder: string
  /** Null: the rollback guard is switched off. */
  guardFolder: string | null
}

const planFile = 'change-over.json'
const readyFolder = ({ folder }: Pick<Places, 'folder'>) => join(folder, 'recovering')
const partialFolder = (places: Places) => `${readyFolder(places)}.partial`

/** An empty folder to build the new ledger in; what an earlier attempt left there is thrown away, as nobody used it. */
export function buildingFolder(places: Places): string {
  throwBuildingAway(places)
  mkdirSync(partialFolder(places), { mode: 0o700 })
  return partialFolder(places)
}

/** Removes what was built and not marked as complete. */
export function throwBuildingAway(places: Places): void {
  rmSync(partialFolder(places), { recursive: true, force: true })
}

/** Says that the new ledger in {@link buildingFolder} is complete, by one rename. */
export function markReady<Report>(places: Places, plan: ChangeOver<Report>): void {
  const building = partialFolder(places)
  // What an interrupted clean-up left would be in the way of the rename.
  dropChange(places)
  writeFileSync(join(building, planFile), JSON.stringify(plan), { mode: 0o600, flush: true })
  for (const folder of [join(building, 'keys'), building]) syncFolder(folder)
  renameSync(building, readyFolder(places))
  syncFolder(places.folder)
}

/** The change that was begun and not finished, or null. The report is what {@link markReady} was given. */
export function readyChange<Report>(places: Pick<Places, 'folder'>): ChangeOver<Report> | null {
  const plan = join(readyFolder(places), planFile)
  return existsSync(plan) ? (JSON.parse(readFileSync(plan, 'utf8')) as ChangeOver<Report>) : null
}

/** How far it has come, by what is where; a crash may have been at any point. */
export function stageOf<Report>(places: Pick<Places, 'folder'>, plan: ChangeOver<Report>): Stage {
  if (!existsSync(join(readyFolder(places), 'ledger.db'))) return 'done'
  return existsSync(join(places.folder, plan.closedFile)) ? 'begun' : 'waiting'
}

/** Removes a change that is done or is not to be. Its plan goes first, so that the rest of it is never acted upon. */
export function dropChange(places: Pick<Places, 'folder'>): void {
  const ready = readyFolder(places)
  rmSync(join(ready, planFile), { force: true })
  rmSync(ready, { recursive: true, force: true })
}

/**
 * Puts the new ledger into the place of the old one, or goes on where a crash stopped it. The old database leaves first
 * and the new one comes last: in between there is a used key and no database, and so no ledger starts (`ledger_lost`).
 *
 * Obligation of the caller: while the stage is `waiting`, the database is the one of the plan, and closed; when it is
 * `begun`, there is none. Throws what the file system says; it may be called again.
 */
export function changeOver<Report>(places: Places, plan: ChangeOver<Report>): void {
  const ready = readyFolder(places)
  const closed = join(places.folder, plan.closedFile)
  if (stageOf(places, plan) === 'waiting') renameSync(places.database, closed)
  // The new ledger was not moved anywhere.
  renameMoveMark(places.database, closed)
  chmodSync(closed, 0o400)
  syncFolder(places.folder)
  exchangeKeys(join(ready, 'keys'), places.keysFolder, plan)
  // Not before there is only forward: an abandoned attempt must leave no guard, which would refuse the next one's key.
  if (places.guardFolder !== null) fileGuard(places.guardFolder).store(plan.opened.origin, plan.opened.note)
  // SQLite would take another file's log for the new ledger's own.
  for (const suffix of ['-wal', '-shm']) rmSync(places.database + suffix, { force: true })
  renameSync(join(ready, 'ledger.db'), places.database)
  syncFolder(places.folder)
  dropChange(places)
}

/** The new key replaces the old by rename: there is no moment without one. */
function exchangeKeys<Report>(
  from: string,
  to: string,
  { keyFile, closedKey }: Pick<ChangeOver<Report>, 'keyFile' | 'closedKey'>,
): void {
  const fresh = join(from, keyFile)
  if (!existsSync(fresh)) return
  if (!existsSync(to)) mkdirSync(to, { mode: 0o700 })
  if (closedKey !== null) copyFileSync(join(to, keyFile), join(to, closedKey))
  syncFolder(to)
  renameSync(fresh, join(to, keyFile))
  syncFolder(to)
}
