import { cpSync } from 'node:fs'
import type { NoteSigner } from '@deedbox/tlog'
import { ed25519Signer, generateSigningKey, parseSigningKey } from '@deedbox/tlog/node'
import { fileGuard } from '../sequencer/index.ts'
import { type Attack, type Exhibit, seenByAll, seenOnlyByKept, unseen } from './attack.ts'
import {
  editDatabase,
  type Laboratory,
  type LedgerCopy,
  origin,
  removeGuard,
  withLedger,
} from './laboratory.ts'
import { type HistoryRow, inventedEvent, rewriteHistory } from './rewritten-history.ts'

const thief = 'Whoever can write the database file'
const operator = 'Whoever has the signing key too: its thief, or the operator'
const victim = 120
const late = 300
const witness = 'a witness'

/** Attacks that put one whole, consistent history in the place of another. */
export const historyAttacks: readonly Attack[] = [
  {
    name: 'truncate',
    title: 'Cut off the end',
    does: 'Goes back to the oldest published checkpoint: events, tiles, keys and head, all as they were then.',
    by: thief,
    perform: copy => rewritten(copy, rows => rows.slice(0, 200)),
    expected: {
      ...unseen,
      checkpoint: 'truncated',
      receipt: 'truncated',
      guard: 'truncated',
      start: 'rolled_back',
    },
    takes: 'something kept later than that, or the guard',
  },
  {
    name: 'restore',
    title: 'Restore an old copy',
    does: 'Puts the backup of an earlier day in the place of the database.',
    by: thief,
    perform(copy, lab) {
      cpSync(lab.oldDatabase, copy.database)
      return { what: 'ledger', copy }
    },
    expected: {
      ...unseen,
      checkpoint: 'truncated',
      receipt: 'truncated',
      guard: 'truncated',
      start: 'rolled_back',
    },
    takes: 'something kept later than that, or the guard',
  },
  {
    name: 'restore-with-guard',
    title: 'Restore an old copy, and the guard with it',
    does: 'The same from a snapshot of the whole machine, so that the guard is as old as the database.',
    by: thief,
    async perform(copy, lab) {
      cpSync(lab.oldDatabase, copy.database)
      removeGuard(copy)
      // Without one the ledger starts with a warning and writes a new one.
      await withLedger(copy, lab.signingKey, async () => {})
      return { what: 'ledger', copy }
    },
    expected: seenOnlyByKept('truncated'),
    takes: 'something kept outside the machine',
  },
  {
    name: 'rewrite',
    title: 'Rewrite history without the key',
    does: `Takes out event ${victim}, closes the gap, invents one at the end to keep the count, and recomputes ids, leaves, tiles and root. Under the new root stands the old signature.`,
    by: thief,
    perform: copy => rewritten(copy, withoutVictim),
    expected: seenByAll('bad_signature', 'fork'),
    takes: 'nothing more, but somebody has to verify',
  },
  {
    name: 'rewrite-own-key',
    title: 'Rewrite history under a key of his own',
    does: 'The same, signed with a new key, whose verifier key he writes into table ledgers.',
    by: thief,
    perform(copy) {
      const { privateKey, verifierKey } = generateSigningKey(origin)
      const signer = ed25519Signer(origin, parseSigningKey(privateKey).seed)
      editDatabase(copy, db => {
        rewriteHistory(db, withoutVictim, signer)
        db.prepare('UPDATE ledgers SET verifier_keys = ?').run(verifierKey)
      })
      return { what: 'ledger', copy }
    },
    expected: { ...seenByAll('bad_signature', 'signing_key_mismatch'), no_key: 'ok_unpinned' },
    takes: 'the verifier key, got before and elsewhere',
  },
  {
    name: 'rewrite-stolen-key',
    title: 'Rewrite history with the key',
    does: 'The same, signed with the key of the ledger. The guard is left as it is.',
    by: operator,
    perform: (copy, lab) => rewritten(copy, withoutVictim, lab.signer),
    expected: { ...seenOnlyByKept('fork'), guard: 'fork', start: 'fork' },
    takes: 'something kept, or the guard',
  },
  {
    name: 'rewrite-as-operator',
    title: 'Rewrite history and the guard',
    does: 'The same, and the guard says what the database says: it lies on his machine.',
    by: operator,
    perform: (copy, lab) => resigned(copy, lab, withoutVictim),
    expected: seenOnlyByKept('fork'),
    takes: 'something kept outside, or a witness',
  },
  {
    name: 'truncate-as-operator',
    title: 'Cut off the end and sign what is left',
    does: 'Keeps 250 events, signs that as the newest state, and lets the guard say so.',
    by: operator,
    perform: (copy, lab) => resigned(copy, lab, rows => rows.slice(0, 250)),
    expected: seenOnlyByKept('truncated'),
    takes: 'something kept outside, or a witness',
  },
  {
    name: 'rewrite-the-end',
    title: 'Rewrite what came after all that was kept',
    does: `Gives event ${late} another payload, signs, and lets the guard say so. Checkpoint and receipt end before it.`,
    by: operator,
    perform: (copy, lab) =>
      resigned(copy, lab, rows =>
        rows.map((row, index) =>
          index === late ? { ...row, payload: Buffer.from('{"order":"order-300","amount":1}') } : row,
        ),
      ),
    expected: unseen,
    takes: `checkpoints kept more often; ${witness}`,
  },
  {
    name: 'split-view',
    title: 'Show two people two histories',
    does: `One is shown the ledger, the other a copy without event ${victim}, with checkpoints and receipts of its own.`,
    by: operator,
    async perform(copy, lab) {
      const exhibit = resigned(copy, lab, withoutVictim)
      let kept = lab.kept
      await withLedger(copy, lab.signingKey, async ledger => {
        const [newest] = ledger.search({ limit: 1 }).events
        kept = { checkpoint: ledger.checkpoint(), receipt: ledger.receipt(newest!.tx_id) }
      })
      return { ...exhibit, kept, others: lab.kept.checkpoint }
    },
    expected: { ...unseen, others: 'fork' },
    takes: `people who compare, or ${witness}`,
  },
  {
    name: 'invent',
    title: 'Record what never happened',
    does: 'Appends an invented event, dated a year ahead, and signs. Nothing that was recorded is changed.',
    by: operator,
    perform: (copy, lab) =>
      resigned(copy, lab, rows => {
        const last = rows.at(-1)!
        const at = Number(last.at) + 365 * 86_400_000
        return [...rows, inventedEvent(last, '{"order":"order-0","amount":1}', at)]
      }),
    expected: unseen,
    takes: 'for the time a timestamp; for the truth, nothing',
  },
]

/** Takes one event out and puts an invented one at the end, so that the number stays. */
function withoutVictim(rows: HistoryRow[]): HistoryRow[] {
  const last = rows.at(-1)!
  const filler = inventedEvent(last, '{"order":"order-320","amount":1320}', Number(last.at))
  return [...rows.filter((_, index) => index !== victim), filler]
}

function rewritten(
  copy: LedgerCopy,
  change: (rows: HistoryRow[]) => HistoryRow[],
  signer?: NoteSigner,
): Extract<Exhibit, { what: 'ledger' }> {
  editDatabase(copy, db => rewriteHistory(db, change, signer))
  return { what: 'ledger', copy }
}

/** With the key, and with a guard that agrees. */
function resigned(
  copy: LedgerCopy,
  lab: Laboratory,
  change: (rows: HistoryRow[]) => HistoryRow[],
): Extract<Exhibit, { what: 'ledger' }> {
  editDatabase(copy, db => {
    const note = rewriteHistory(db, change, lab.signer)
    removeGuard(copy)
    fileGuard(copy.guard).store(origin, note)
  })
  return { what: 'ledger', copy }
}
