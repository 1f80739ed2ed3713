import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { syncFolder } from '../sync-folder.ts'

/** The file in the staging folder that outlives every move which is given up there. */
export const serverIdFile = 'server'

/**
 * What tells the data folder in which a move was begun from any other: at one address, with one token, there may be a
 * stand-by, or the same program on another folder. Undefined: no move was ever begun here.
 */
export function readServerId(staging: string): string | undefined {
  const path = join(staging, serverIdFile)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

/** Durable before a client hears of it. */
export function makeServerId(staging: string): string {
  const known = readServerId(staging)
  if (known !== undefined) return known
  const id = randomUUID()
  const path = join(staging, serverIdFile)
  writeFileSync(`${path}.new`, id, { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
  syncFolder(staging)
  return id
}
