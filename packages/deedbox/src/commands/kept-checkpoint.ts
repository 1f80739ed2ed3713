import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { type Checkpoint, parseCheckpoint, parseNote, TlogError } from '@deedbox/tlog'

/**
 * Keeps a checkpoint in a file. What everything later rests on is not given up by accident: a file that holds anything
 * else, or a checkpoint that this one was not compared with, stays as it is.
 *
 * @param compared the checkpoint that the verification was given, which the new one extends
 * @returns what was done, as a sentence
 */
export function keepCheckpoint(file: string, note: string, compared: string | undefined): string {
  const size = checkpointOf(note)?.size
  if (existsSync(file)) {
    const before = readFileSync(file, 'utf8')
    if (before === note) return `${file} holds this checkpoint of ${size} entries already.`
    if (before !== compared) {
      const held = checkpointOf(before)
      const what =
        held === undefined ? 'no checkpoint' : `a checkpoint of ${held.size} entries of ${held.origin}`
      return (
        `${file} was not written: it holds ${what}. ` +
        'Give it with --checkpoint as well, so that the new one is known to extend it, or name another file.'
      )
    }
  }
  const unfinished = `${file}.new`
  writeFileSync(unfinished, note)
  renameSync(unfinished, file)
  return `The checkpoint of ${size} entries is kept in ${file}.`
}

function checkpointOf(note: string): Checkpoint | undefined {
  try {
    return parseCheckpoint(parseNote(note).text)
  } catch (error) {
    if (error instanceof TlogError) return undefined
    throw error
  }
}
