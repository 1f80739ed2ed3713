import { realpathSync, renameSync, rmSync } from 'node:fs'
import { identityOf, inTransaction, type SqliteConnection } from './sqlite-connection.ts'

/** What an open file is known by, whatever has its name by now. */
export interface OpenFile {
  readonly file: string
  readonly identity: string | undefined
  /** The same without symbolic links. */
  readonly real: string
  /** The log, and the index of the log, that belong to it: they keep their names when the file is moved. */
  readonly beside: readonly { readonly file: string; readonly identity: string | undefined }[]
}

/** Looks at a file that was just opened and read. */
export function openFileAt(file: string): OpenFile {
  const identity = identityOf(file)
  const real = realpathSync(file)
  const beside = ['-wal', '-shm'].map(end => ({ file: real + end, identity: identityOf(real + end) }))
  return { file, identity, real, beside }
}

/** Whether the name is another file's by now, or nobody's. */
export function isMoved({ file, identity }: OpenFile): boolean {
  return identityOf(file) !== identity
}

/**
 * Brings what is in the log of a file that was moved into that file, wherever it is, and takes the log away from the name.
 * SQLite does neither when such a file is closed: its rows would be lost, or play into the file that has the name now.
 * @throws what {@link kindOf} calls busy while another connection keeps the log from being brought in
 */
export function leaveMoved(database: SqliteConnection, open: OpenFile): void {
  const [row] = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()
  const { busy, log, checkpointed } = row as { busy: number; log: number; checkpointed: number }
  // Who reads the newest rows keeps a log from being cut, but not from being brought in.
  if (busy !== 0 && (log < 0 || log !== checkpointed))
    throw Object.assign(new Error('it was moved, and another program reads what is to go with it'), {
      code: 'SQLITE_BUSY',
    })
  // Of all who have the moved file open, one at a time: the next may have made a log for the new file.
  inTransaction(database, () => {
    for (const file of leftBy(open)) rmSync(file, { force: true })
  })
}

/**
 * Takes the log of a moved file away from the name without having brought it in.
 * @returns where it is now; `undefined` where there was none
 */
export function setAside(open: OpenFile): string | undefined {
  let aside: string | undefined
  for (const file of leftBy(open)) {
    const free = `${file}.${Date.now()}`
    renameSync(file, free)
    aside ??= free
  }
  return aside
}

/** While the connection is open, no other file can have the identity of one of its own. */
function leftBy({ real, identity, beside }: OpenFile): string[] {
  // Where only a link leads elsewhere, the file and its log are together.
  if (identityOf(real) === identity) return []
  return beside
    .filter(one => one.identity !== undefined && identityOf(one.file) === one.identity)
    .map(one => one.file)
}
