import type { StoredEntry } from '../chests/index.ts'
import { openReadable, tellFailure } from './chest-argument.ts'
import { chestTable, storedObject } from './chest-view.ts'
import { LineOutput } from './line-output.ts'
import { printable } from './log-text.ts'
import { wholeNumber } from './whole-number.ts'

/** What `deedbox chest show` is told. */
export interface ShowOptions {
  readonly 'request-id'?: string | undefined
  readonly name?: string | undefined
  readonly limit?: string | undefined
  readonly json?: boolean | undefined
}

/** `deedbox chest show`. Resolves to the exit code. @throws UsageError */
export async function showChest(url: string, options: ShowOptions): Promise<number> {
  const limit = wholeNumber('--limit', options.limit ?? '50', 1, 10_000)
  const chest = await openReadable(url)
  let found: StoredEntry[]
  try {
    found = await chest.find({ requestId: options['request-id'], name: options.name }, limit)
  } catch (error) {
    return tellFailure(error, [url])
  } finally {
    await chest.close()
  }
  const { stdout, stderr } = process
  if (found.length === 0) {
    stderr.write(`${printable(chest.id)} has no such entry.\n`)
    return 0
  }
  const output = new LineOutput(stdout)
  if (options.json === true) for (const row of found) output.add(`${JSON.stringify(storedObject(row))}\n`)
  else output.add(chestTable(found, stdout.isTTY ? stdout.columns : undefined))
  await output.flush()
  return 0
}
