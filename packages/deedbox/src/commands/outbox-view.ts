import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DeadLetter,
  deadLettersIn,
  ledgerFile,
  openSpool,
  orphansIn,
  producersIn,
  seemsSilent,
} from '../audit/index.ts'
import { isSpoolName } from '../tracking/index.ts'
import { UsageError } from './usage-error.ts'

/** What one service sends to one ledger. */
export interface OutboxGroup {
  readonly service: string
  /** The ledger's URL, or how a ledger inside the process is called; for tracked variables the name of the chest. */
  readonly ledger: string
  readonly folder: string
}

/** What is in a group. */
export interface OutboxContent extends OutboxGroup {
  /** Events that wait in spools of living processes, which deliver them. */
  readonly waiting: number
  /** Events that dead processes have left, by all that a glance can tell, for the next process or for `replay`. */
  readonly left: number
  readonly letters: readonly DeadLetter[]
}

/** The groups in a spool folder, of one service or all. @throws UsageError if the folder cannot be read */
export function groupsIn(spool: string, service: string | undefined): OutboxGroup[] {
  const groups: OutboxGroup[] = []
  for (const name of foldersIn(spool, true)) {
    for (const inner of foldersIn(join(spool, name), false)) {
      const folder = join(spool, name, inner)
      const about = describe(folder)
      if ((service ?? about.service) === about.service) groups.push({ ...about, folder })
    }
  }
  return groups
}

/** Whether a group is of tracked variables for a chest, which no ledger is to get. */
export function isForChest({ ledger }: OutboxGroup): boolean {
  return isSpoolName(ledger)
}

/** Whether two names are of one ledger: URLs may end in a slash, and a ledger in a process may be named by its origin, a chest by its id and address. */
export function sameLedger(one: string, other: string): boolean {
  const [a, b] = [one, other].map(name => {
    const bare = name.replace(/^(in this process: |chest )/, '')
    return (URL.canParse(bare) ? new URL(bare).href : bare).replace(/\/+$/, '')
  })
  return a === b
}

/** The name of an event. A dead letter may be dead because its meta is none. */
export function nameIn(meta: unknown): string {
  return typeof meta === 'object' && meta !== null ? String(Reflect.get(meta, 'event_name')) : ''
}

/** Counts what waits, and reads the dead letters. */
export async function contentOf(group: OutboxGroup): Promise<OutboxContent> {
  const orphans = new Set(await orphansIn(group.folder, seemsSilent))
  let waiting = 0
  let left = 0
  for (const name of await producersIn(group.folder)) {
    const count = await countIn(join(group.folder, name))
    if (orphans.has(name)) left += count
    else waiting += count
  }
  return { ...group, waiting, left, letters: deadLettersIn(group.folder) }
}

/** Events of a spool, and of those that its process had taken over. */
async function countIn(folder: string): Promise<number> {
  let count = 0
  try {
    count = (await openSpool(folder)).waiting
  } catch {
    // Delivered and removed this moment.
  }
  for (const inner of foldersIn(join(folder, 'adopted'), false))
    count += await countIn(join(folder, 'adopted', inner))
  return count
}

function describe(folder: string): { service: string; ledger: string } {
  try {
    const { service, ledger } = JSON.parse(readFileSync(join(folder, ledgerFile), 'utf8'))
    return { service: String(service), ledger: String(ledger) }
  } catch {
    return { service: 'unknown', ledger: 'unknown' }
  }
}

function foldersIn(folder: string, isNeeded: boolean): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries
      .filter(entry => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (isNeeded && code !== 'ENOENT')
      throw new UsageError(`The spool folder ${folder} cannot be read: ${String(code)}.`)
    return []
  }
}
