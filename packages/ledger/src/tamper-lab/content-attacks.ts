import type { DatabaseSync } from 'node:sqlite'
import { formatCheckpoint, formatEventLeaf, parseEventLeaf, signNote } from '@deedbox/tlog'
import { ed25519Signer, generateSigningKey, parseSigningKey } from '@deedbox/tlog/node'
import { newTxId } from '../sequencer/index.ts'
import { type Attack, type Exhibit, seenByAll, unseen } from './attack.ts'
import { editDatabase, type LedgerCopy, origin } from './laboratory.ts'
import { type HistoryRow, insertRow } from './rewritten-history.ts'

const by = 'Whoever can write the database file'
const victim = 120
const verifying = 'nothing more, but somebody has to verify'

/** No attack: what everybody says of the ledger as it was closed. */
export const control: Attack = {
  name: 'nothing',
  title: 'Nothing',
  does: 'Leaves the ledger as it was closed.',
  by: 'Nobody',
  perform: copy => ({ what: 'ledger', copy }),
  expected: unseen,
  takes: '-',
}

/** Attacks on rows that the tree covers or that are derived from what it covers: without any key. */
export const contentAttacks: readonly Attack[] = [
  {
    name: 'edit-payload',
    title: 'Edit a payload',
    does: `Gives event ${victim} another amount, of the same length.`,
    by,
    perform: copy =>
      edited(copy, db => {
        db.prepare(
          `UPDATE events SET payload = CAST(replace(payload, '1120', '9120') AS BLOB) WHERE ${at(victim)}`,
        ).run()
      }),
    expected: seenByAll('content_mismatch'),
    takes: verifying,
  },
  {
    name: 'edit-search-column',
    title: 'Edit a search column',
    does: `Puts another actor beside event ${victim}, so that a search finds the wrong person.`,
    by,
    perform: copy => edited(copy, db => db.exec(`UPDATE events SET actor_id = 'u_999' WHERE ${at(victim)}`)),
    expected: seenByAll('index_mismatch'),
    takes: verifying,
  },
  {
    name: 'delete',
    title: 'Delete an event',
    does: `Deletes event ${victim} and the row of its idempotency key.`,
    by,
    perform: copy =>
      edited(copy, db =>
        db.exec(`DELETE FROM events WHERE ${at(victim)}; DELETE FROM idempotency WHERE idx = ${victim}`),
      ),
    expected: seenByAll('missing_index'),
    takes: verifying,
  },
  {
    name: 'swap',
    title: 'Swap two events',
    does: `Lets events ${victim} and ${victim + 1} change places, with all that belongs to them.`,
    by,
    perform: copy => edited(copy, db => swap(db, victim, victim + 1)),
    expected: seenByAll('content_mismatch'),
    takes: verifying,
  },
  {
    name: 'forge-erasure',
    title: 'Pretend an erasure',
    does: `Removes payload and salt of event ${victim}, as an erasure would.`,
    by,
    perform: copy => edited(copy, db => erase(db, victim)),
    expected: seenByAll('content_missing'),
    takes: verifying,
  },
  {
    name: 'forge-erasure-leaf',
    title: 'Pretend an erasure, with its leaf',
    does: `The same, and an erasure leaf after the last event, which no tree holds.`,
    by,
    perform: copy =>
      edited(copy, db => {
        erase(db, victim)
        addErasureLeaf(db)
      }),
    expected: seenByAll('content_missing'),
    takes: verifying,
  },
  {
    name: 'forge-checkpoint',
    title: 'Forge a checkpoint',
    does: 'Publishes a checkpoint of an invented tree, under the name of the ledger, signed with a key of his own.',
    by,
    perform: copy =>
      edited(copy, db => {
        const forger = ed25519Signer(origin, parseSigningKey(generateSigningKey(origin).privateKey).seed)
        const text = formatCheckpoint({ origin, size: 300, root: new Uint8Array(32).fill(7) })
        const row = db.prepare('SELECT * FROM checkpoints LIMIT 1').get() as HistoryRow
        insertRow(db, 'checkpoints', { ...row, size: 300, note: signNote(text, [forger]) })
      }),
    expected: seenByAll('bad_signature'),
    takes: verifying,
  },
  {
    name: 'forget-checkpoint',
    title: 'Delete a published checkpoint',
    does: 'Deletes a row of table checkpoints. Those that people kept of it stay true and stay checkable.',
    by,
    perform: copy => edited(copy, db => db.exec('DELETE FROM checkpoints WHERE size = 260')),
    expected: unseen,
    takes: 'nothing does yet: no leaf lists them',
  },
  {
    name: 'edit-unattested-column',
    title: 'Edit a column that nothing attests',
    does: `Changes the fingerprint beside an idempotency key: a repeat of event ${victim} is then stored once more.`,
    by,
    perform: copy =>
      edited(copy, db => db.exec(`UPDATE idempotency SET fingerprint = zeroblob(32) WHERE idx = ${victim}`)),
    expected: unseen,
    takes: 'nothing does; "deedbox verify" lists such columns',
  },
]

/** The condition that names an event by its index. */
function at(index: number): string {
  return `position = (SELECT min(position) FROM events) + ${index}`
}

function edited(copy: LedgerCopy, edit: (db: DatabaseSync) => void): Exhibit {
  editDatabase(copy, edit)
  return { what: 'ledger', copy }
}

function swap(db: DatabaseSync, a: number, b: number): void {
  const base = Number(db.prepare('SELECT min(position) AS base FROM events').get()?.base)
  const move = db.prepare('UPDATE events SET position = ? WHERE position = ?')
  move.run(-1, base + a)
  move.run(base + a, base + b)
  move.run(base + b, -1)
  db.exec(
    `UPDATE idempotency SET idx = ${a + b} - idx, first_idx = ${a + b} - first_idx WHERE idx IN (${a}, ${b})`,
  )
}

function erase(db: DatabaseSync, index: number): void {
  db.exec(`UPDATE events SET payload = NULL, payload_salt = NULL WHERE ${at(index)}`)
}

/** As a true one would look: the next index, the form of a leaf, the kind. Head and tiles stay as they were signed. */
function addErasureLeaf(db: DatabaseSync): void {
  const last = db.prepare('SELECT * FROM events ORDER BY position DESC LIMIT 1').get() as HistoryRow
  const size = Number(db.prepare('SELECT size FROM heads').get()?.size)
  const leaf = formatEventLeaf({
    ...parseEventLeaf(last.leaf as Uint8Array),
    kind: 'erasure',
    tx_id: newTxId(size),
  })
  insertRow(db, 'events', {
    ...last,
    position: Number(last.position) + 1,
    kind: 'erasure',
    leaf: Buffer.from(leaf),
  })
}
