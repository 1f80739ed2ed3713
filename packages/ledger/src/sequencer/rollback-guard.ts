import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { LedgerError } from '../errors.ts'
import { makeFolder } from '../make-folder.ts'

/**
 * The last signed checkpoint, kept outside the data folder, so that restoring an old copy of the database is
 * noticed before a second history is signed (pitfall P22).
 *
 * Obligation of the writer: store after the commit and before the answer. The file is replaced by rename and
 * not synced: after a power cut it may be older than the database, never newer than an honest one.
 */
export interface RollbackGuard {
  /** The checkpoint note kept for an origin, or null. */
  read(origin: string): string | null
  /** Replaces it. Throws what the file system says. */
  store(origin: string, note: string): void
}

/** Where guards are kept unless `DEEDBOX_GUARD` names a folder: the user's state folder (XDG base directories). */
export function defaultGuardFolder(env: Record<string, string | undefined>): string {
  const state = env.XDG_STATE_HOME || join(homedir(), '.local', 'state')
  return join(state, 'deedbox', 'guards')
}

/**
 * A guard with one file per origin in `folder`.
 *
 * @throws LedgerError `guard_unusable` when the folder cannot be made or written
 */
export function fileGuard(folder: string): RollbackGuard {
  try {
    makeFolder(folder)
    const probe = join(folder, `.probe-${randomUUID()}`)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (cause) {
    throw new LedgerError(
      'guard_unusable',
      `The folder ${folder}, where the rollback guard is kept, cannot be written. ` +
        'Set DEEDBOX_GUARD to a folder outside the data folder, or to "off" to run without the guard.',
      { cause },
    )
  }
  // Several processes and threads may keep one guard: each writes a file of its own and renames it into place.
  const own = randomUUID()
  return {
    read: origin => readGuard(folder, origin),
    store(origin, note) {
      const path = guardFile(folder, origin)
      // Another process may have stored a later one in between. The little time between this look and the rename
      // can still let the guard fall back by a commit; it never runs ahead.
      if (sizeOf(readOrNull(path)) > sizeOf(note)) return
      const temporary = `${path}.${own}`
      writeFileSync(temporary, note, { mode: 0o600 })
      renameSync(temporary, path)
    },
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** The size that a checkpoint claims, unverified; -1 when it claims none. */
function sizeOf(note: string | null): number {
  const size = note?.split('\n', 2)[1] ?? ''
  return /^\d{1,16}$/.test(size) ? Number(size) : -1
}

/** The checkpoint note that `folder` holds for an origin, or null. Makes nothing. Throws what the file system says. */
export function readGuard(folder: string, origin: string): string | null {
  return readOrNull(guardFile(folder, origin))
}

function guardFile(folder: string, origin: string): string {
  return join(folder, `${createHash('sha256').update(origin).digest('hex').slice(0, 32)}.checkpoint`)
}
