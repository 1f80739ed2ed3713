import { join, resolve } from 'node:path'

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
