import { existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Where a ledger server keeps what it has: one folder, by default `./.deedbox`, or `DEEDBOX_DATA`. */
export interface DataFolder {
  folder: string
  /** The SQLite file. */
  database: string
  /** Signing keys, mode 0600 each. */
  keys: string
}

/** The data folder that an argument or the environment names. */
export function dataFolder(argument: string | undefined, env: NodeJS.ProcessEnv): DataFolder {
  const folder = resolve(argument ?? (env.DEEDBOX_DATA || '.deedbox'))
  return { folder, database: join(folder, 'ledger.db'), keys: join(folder, 'keys') }
}

/**
 * The places of a ledger that an argument or the environment names: a data folder, or a file of `openLedger`. One whose
 * keys are there is still a file while a recovery that was cut off has taken its database away.
 */
export function ledgerPlaces(argument: string | undefined, env: NodeJS.ProcessEnv): DataFolder {
  const data = dataFolder(argument, env)
  const isFile =
    statSync(data.folder, { throwIfNoEntry: false })?.isFile() === true || existsSync(`${data.folder}.keys`)
  return isFile ? filePlaces(data.folder) : data
}

/** A file of `openLedger` has its keys in a folder named after it; a database in a data folder has them beside it. */
export function filePlaces(database: string): DataFolder {
  const folder = dirname(database)
  const own = `${database}.keys`
  const shared = join(folder, 'keys')
  return { folder, database, keys: existsSync(own) || !existsSync(shared) ? own : shared }
}
