import { resolve } from 'node:path'
import { defaultSpoolFolder, type SpoolChoice } from './audit/index.ts'
import type { AuditOptions } from './options.ts'
import { byteSize, ConfigurationError, findVariable } from './safety/index.ts'

/** Bytes of a spool that nobody gave a size: about 200,000 events. */
const defaultSize = 256 * 1024 * 1024

/** A smaller one could not hold a few large events. */
const leastSize = 1024 * 1024

/**
 * Where events survive the death of the process, by options and variables, if they are to.
 * @throws ConfigurationError
 */
export function readSpool(
  { durability, spool }: AuditOptions,
  environment: Readonly<Record<string, string | undefined>>,
): SpoolChoice {
  if (durability !== undefined && !['spool', 'fsync', 'memory'].includes(durability)) {
    throw new ConfigurationError('audit.durability', `"${durability}" is unknown. Use spool, fsync, memory.`)
  }
  const folder = findVariable(environment, ['DEEDBOX_SPOOL'])?.value
  const size = findVariable(environment, ['DEEDBOX_SPOOL_SIZE'])
  const bytes =
    spool?.size === undefined
      ? readSize(size?.name ?? 'DEEDBOX_SPOOL_SIZE', size?.value ?? defaultSize)
      : readSize('audit.spool.size', spool.size)
  return {
    folder: resolve(spool?.folder?.trim() || folder || defaultSpoolFolder(environment)),
    size: bytes,
    isSynced: durability === 'fsync',
  }
}

function readSize(setting: string, given: number | string): number {
  const bytes = byteSize(given)
  if (bytes !== undefined && bytes >= leastSize) return bytes
  throw new ConfigurationError(
    setting,
    `a number of bytes from ${leastSize} on is needed, or a text like 256 MB; this is ${JSON.stringify(given)}.`,
  )
}
