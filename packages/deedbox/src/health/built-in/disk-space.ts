import { statfs } from 'node:fs/promises'
import { type Check, type CheckMessage, error, warning } from '../../checks/index.ts'
import { byteSize, ConfigurationError, errorMessage } from '../../safety/index.ts'
import { type BuiltInOptions, builtIn } from './built-in.ts'
import { notWhat } from './handed-over.ts'

/** How much has to be free: bytes, a text such as `2 GB`, or a share such as `10%`. */
export type FreeSpace = number | string

/** How much space has to be left. */
export interface DiskSpaceOptions extends BuiltInOptions {
  /** Less than this is a warning. Default `10%`. */
  readonly warning?: FreeSpace | undefined
  /** Less than this is an error. Default `5%`. */
  readonly error?: FreeSpace | undefined
}

interface Threshold {
  readonly text: string
  isMoreThan(free: number, total: number): boolean
}

/**
 * `check_disk_space`: what is free on the file system of a path, for who is not root.
 * @param path a file or folder that exists
 * @throws ConfigurationError for options that cannot be
 */
export function diskSpace(path: string, options: DiskSpaceOptions = {}): Check {
  if (typeof path !== 'string' || path === '')
    throw notWhat('diskSpace', 'the path of a file or folder', path)
  const low = threshold('warning', options.warning ?? '10%')
  const least = threshold('error', options.error ?? '5%')
  const look = async (): Promise<CheckMessage[]> => {
    let sizes: { readonly bavail: number; readonly blocks: number; readonly bsize: number }
    try {
      sizes = await statfs(path)
    } catch (thrown) {
      return [error(`The free space cannot be told: ${errorMessage(thrown)}`, { id: 'deedbox.health.E212' })]
    }
    const free = sizes.bavail * sizes.bsize
    const total = sizes.blocks * sizes.bsize
    const text = (than: Threshold): string =>
      `${shown(free)} of ${shown(total)} are free at ${path}, less than ${than.text}.`
    if (least.isMoreThan(free, total)) return [error(text(least), { id: 'deedbox.health.E211' })]
    return low.isMoreThan(free, total) ? [warning(text(low), { id: 'deedbox.health.W211' })] : []
  }
  return builtIn('diskSpace', 'check_disk_space', options, look, ['warning', 'error'])
}

function threshold(name: string, given: FreeSpace): Threshold {
  const [, digits] = /^(\d+(?:\.\d+)?) *%$/.exec(String(given)) ?? []
  const share = digits === undefined ? undefined : Number(digits) / 100
  if (share !== undefined && share <= 1)
    return { text: String(given), isMoreThan: (free, total) => free < share * total }
  const bytes = share === undefined ? byteSize(given) : undefined
  if (bytes === undefined)
    throw new ConfigurationError(
      `diskSpace() ${name}`,
      'bytes, a text such as 2 GB, or a share such as 10% is needed.',
    )
  return { text: shown(bytes), isMoreThan: free => free < bytes }
}

/** A size as people write it, in powers of 1,000. */
function shown(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let at = 0
  for (; value >= 1_000 && at < units.length - 1; at++) value /= 1_000
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`
}
