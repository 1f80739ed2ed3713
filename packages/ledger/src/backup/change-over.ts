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
import { syncFolder } from '../sync-folder.ts'

/** A new ledger that is complete and waits to take the place of the old one. */
export interface ChangeOver<Report> {
  /** Name in the data folder that the old database gets. */
  closedFile: string
  /** Name in the keys folder that the old signing key gets; null: there is none. */
  closedKey: string | null
  /** `main.signing-key`, for the ledger `main`. */
  keyFile: string
  report: Report
}

interface Places {
  folder: string
  database: string
  keysFolder: string
}

const planFile = 'change-over.json'
const readyFolder = ({ folder }: Places) => join(folder, 'recovering')

/** An empty folder to build the new ledger in; what an earlier attempt left there is thrown away, as nobody used it. */
export function buildingFolder(places: Places): string {
  const building = `${readyFolder(places)}.partial`
  rmSync(building, { recursive: true, force: true })
  mkdirSync(building, { mode: 0o700 })
  return building
}

/** Says that the new ledger in {@link buildingFolder} is complete, by one rename. From here on there is only forward. */
export function markReady<Report>(places: Places, plan: ChangeOver<Report>): void {
  const building = `${readyFolder(places)}.partial`
  writeFileSync(join(building, planFile), JSON.stringify(plan), { mode: 0o600, flush: true })
  for (const folder of [join(building, 'keys'), building]) syncFolder(folder)
  renameSync(building, readyFolder(places))
  syncFolder(places.folder)
}

/** The change that was begun and not finished, or null. The report is what {@link markReady} was given. */
export function readyChange<Report>(places: Places): ChangeOver<Report> | null {
  const plan = join(readyFolder(places), planFile)
  return existsSync(plan) ? (JSON.parse(readFileSync(plan, 'utf8')) as ChangeOver<Report>) : null
}

/**
 * Puts the new ledger into the place of the old one, or goes on where a crash stopped it. The old database leaves first
 * and the new one comes last: in between there is a used key and no database, and so no ledger starts (`ledger_lost`).
 * Throws what the file system says; it may be called again.
 */
export function changeOver<Report>(places: Places, plan: ChangeOver<Report>): void {
  const ready = readyFolder(places)
  const closed = join(places.folder, plan.closedFile)
  if (existsSync(join(ready, 'ledger.db'))) {
    if (!existsSync(closed)) {
      renameSync(places.database, closed)
      chmodSync(closed, 0o400)
      syncFolder(places.folder)
    }
    exchangeKeys(join(ready, 'keys'), places.keysFolder, plan)
    // SQLite would take another file's log for the new ledger's own.
    for (const suffix of ['-wal', '-shm']) rmSync(places.database + suffix, { force: true })
    renameSync(join(ready, 'ledger.db'), places.database)
    syncFolder(places.folder)
  }
  rmSync(ready, { recursive: true, force: true })
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
