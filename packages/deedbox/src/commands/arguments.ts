import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import {
  parseCheckpoint,
  parseNote,
  parseReceipt,
  parseVerifierKey,
  TlogError,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { UsageError } from './usage-error.ts'

/**
 * A key as an argument, or the first line of a file that holds one. No file name has two plus signs by accident.
 *
 * @param option for messages
 * @throws UsageError
 */
export function readKey(option: string, argument: string): VerifierKey {
  const isKey = argument.split('+').length > 2
  if (!isKey && !existsSync(argument)) {
    throw new UsageError(
      `${option}: "${argument}" is neither a verifier key (name+id+key) nor a file that holds one.`,
    )
  }
  const text = isKey ? argument : (readText(argument, 'verifier key').trim().split(/\s+/)[0] ?? '')
  try {
    return parseVerifierKey(nodeCrypto.sha256, text)
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * A checkpoint that was kept: its note, or the one inside a receipt, which is as good.
 *
 * @throws UsageError for a file that holds neither
 */
export function readCheckpoint(file: string): string {
  const text = readText(file, 'checkpoint')
  try {
    const note = text.startsWith('c2sp.org/tlog-proof@') ? parseReceipt(text).checkpoint : text
    parseCheckpoint(parseNote(note).text)
    return note
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    throw new UsageError(`--checkpoint: ${file} holds neither a checkpoint nor a receipt: ${error.message}`)
  }
}

/** A file as text. @throws UsageError that calls it `what` */
function readText(file: string, what: string): string {
  return readBytes(file, what).toString('utf8')
}

/** A file, or its beginning. @throws UsageError that calls it `what` */
export function readBytes(file: string, what: string, length?: number): Buffer {
  try {
    if (length === undefined) return readFileSync(file)
    const handle = openSync(file, 'r')
    try {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(handle, bytes, 0, length, 0))
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EISDIR') throw new UsageError(`${file} is a folder: name a data folder with --data.`)
    throw new UsageError(`The ${what} ${file} ${code === 'ENOENT' ? 'does not exist' : 'cannot be read'}.`)
  }
}
