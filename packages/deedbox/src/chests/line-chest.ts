import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigurationError, errorMessage } from '../safety/index.ts'
import { type CheckMessage, type Chest, ChestError, type ContextEntry } from '../tracking/index.ts'
import { type ChestOptions, checkedName, chestParts } from './chest-options.ts'
import { LineFile, type LineFormat } from './line-file.ts'

/** What chests take that append to a file. */
export interface LineFileOptions extends ChestOptions {
  /** Stands in the chest's id. Default: the file as it was given. */
  readonly name?: string | undefined
  /** Whether each write waits until the disk has it. Default `false`: the system has it. */
  readonly fsync?: boolean | undefined
}

/** One kind of file. */
export interface LineKind extends LineFormat {
  /** Before the name in the chest's id. */
  readonly title: string
  /** How messages call it: `csv()`. */
  readonly taker: string
  /**
   * Entries as whole lines.
   * @param id of the chest
   * @throws ChestError
   */
  lines(entries: readonly ContextEntry[], tags: Readonly<Record<string, string>>, id: string): Promise<string>
}

/**
 * A chest that appends to a file.
 * @throws ConfigurationError
 */
export function lineChest(kind: LineKind, file: string | URL, options: LineFileOptions): Chest {
  const { taker, title } = kind
  const { queue, logger, tags } = chestParts(taker, options, ['fsync'])
  const path = pathOf(taker, file)
  const { fsync = false } = options
  if (typeof fsync !== 'boolean') throw new ConfigurationError(`${taker}: fsync`, 'true or false is needed.')
  const lineFile = new LineFile(path, kind, fsync)
  const id = `${title}(name=${checkedName(`${taker}: name`, options.name, String(file))})`
  return {
    id,
    address: path,
    queue,
    logger,
    async write(entries) {
      const lines = await kind.lines(entries, tags, id)
      try {
        if (lines !== '') await lineFile.append(lines)
      } catch (error) {
        throw new ChestError('unavailable', id, `${path} was not written: ${errorMessage(error)}`, {
          cause: error,
        })
      }
    },
    async check() {
      const problem = await kind.lines([], tags, id).then(() => lineFile.problem(), errorMessage)
      if (problem === undefined) return []
      const message = problem.startsWith(id) ? problem : `${id}: ${path} cannot be written: ${problem}`
      return [{ id: 'deedbox.chest.unwritable', level: 'error', message } satisfies CheckMessage]
    },
    async close() {},
  }
}

function pathOf(taker: string, file: unknown): string {
  if (file instanceof URL && file.protocol === 'file:') return fileURLToPath(file)
  if (typeof file === 'string' && file !== '' && !file.includes('\0')) return resolve(file)
  throw new ConfigurationError(taker, 'the path of a file is needed.')
}
