import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type NoteSigner, parseVerifierKey, type VerifierKey } from '@deedbox/tlog'
import { ed25519Signer, generateSigningKey, nodeCrypto, parseSigningKey } from '@deedbox/tlog/node'
import { newApiKey } from '../access/index.ts'
import type { EventInput } from '../events/index.ts'
import type { Ledger } from '../ledger.ts'
import { openLedger } from '../open-ledger.ts'

/** The name of the laboratory's ledger in the world. */
export const origin = 'lab.invalid/main'

/** What people outside keep of a ledger, in the order in which the laboratory gives it to them. */
export interface Kept {
  /** A checkpoint note. */
  checkpoint: string
  /** The text of a `.tlog-proof` file. */
  receipt: string
}

/** A copy of the ledger, its signing key and its rollback guard: two folders of their own. */
export interface LedgerCopy {
  /** A data folder, as `deedbox serve` has it. */
  data: string
  database: string
  guard: string
}

/** A closed ledger, what was kept of it, and the key that signs it. */
export interface Laboratory {
  /** Everything is in here. */
  folder: string
  size: number
  /** How far the checkpoint and the receipt reach. */
  keptSizes: { checkpoint: number; receipt: number }
  kept: Kept
  pinned: VerifierKey
  signer: NoteSigner
  /** As `DEEDBOX_SIGNING_KEY` has it. */
  signingKey: string
  /** The database file of an earlier day. */
  oldDatabase: string
  /** A copy of everything, in a folder of this name. */
  copy(name: string): LedgerCopy
}

/** How many entries there were when something was put aside; two hash tiles when all is there. */
const sizes = { backup: 200, receipt: 260, checkpoint: 280, all: 320 }
const receiptIndex = 150

/**
 * Makes a ledger in a folder that exists and is empty, closes it, and puts aside what people keep: on the first day
 * a backup, then a receipt, then a checkpoint, then nothing more.
 *
 * @throws LedgerError when the folder cannot hold a ledger
 */
export async function buildLaboratory(folder: string): Promise<Laboratory> {
  const { privateKey, verifierKey } = generateSigningKey(origin)
  const untouched = copyIn(join(folder, 'untouched'))
  const oldDatabase = join(folder, 'backup', 'ledger.db')
  const stage = (work: (ledger: Ledger) => Promise<void>) => withLedger(untouched, privateKey, work)

  await stage(async ledger => {
    await ledger.createApiKey(newApiKey(), 'payments', ['write'])
    await appendUpTo(ledger, sizes.backup)
  })
  mkdirSync(join(folder, 'backup'))
  cpSync(untouched.database, oldDatabase)
  const kept: Kept = { checkpoint: '', receipt: '' }
  await stage(async ledger => {
    await appendUpTo(ledger, sizes.receipt)
    const [event] = ledger.search({ request_id: requestId(receiptIndex) }).events
    kept.receipt = ledger.receipt(event!.tx_id, ['payload'])
  })
  await stage(async ledger => {
    await appendUpTo(ledger, sizes.checkpoint)
    kept.checkpoint = ledger.checkpoint()
  })
  await stage(ledger => appendUpTo(ledger, sizes.all))

  writeKept(join(folder, 'kept'), kept, verifierKey)
  mkdirSync(join(untouched.data, 'keys'), { mode: 0o700 })
  writeFileSync(join(untouched.data, 'keys', 'main.signing-key'), `${privateKey}\n`, { mode: 0o600 })
  return {
    folder,
    size: sizes.all,
    keptSizes: { checkpoint: sizes.checkpoint, receipt: sizes.receipt },
    kept,
    pinned: parseVerifierKey(nodeCrypto.sha256, verifierKey),
    signer: ed25519Signer(origin, parseSigningKey(privateKey).seed),
    signingKey: privateKey,
    oldDatabase,
    copy(name) {
      cpSync(join(folder, 'untouched'), join(folder, name), { recursive: true })
      return copyIn(join(folder, name))
    },
  }
}

/**
 * Opens a copy for writing and closes it again. With a signing key of the laboratory's own, a guard of its own, and
 * nothing from the environment: no key and no guard of a real ledger is ever met here.
 *
 * @throws what `openLedger` throws, and what `work` throws
 */
export async function withLedger(
  { database, data, guard }: LedgerCopy,
  signingKey: string,
  work: (ledger: Ledger) => Promise<void>,
): Promise<void> {
  const ledger = await openLedger(database, {
    origin,
    signingKey,
    guard,
    keysFolder: join(data, 'keys'),
    inline: true,
  })
  try {
    await work(ledger)
  } finally {
    await ledger.close()
  }
}

/** Opens the database as somebody does who has the file and SQLite, and lets nothing in the way. */
export function editDatabase(copy: LedgerCopy, edit: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(copy.database, { enableForeignKeyConstraints: false })
  try {
    db.exec('BEGIN')
    edit(db)
    db.exec('COMMIT')
  } finally {
    db.close()
  }
}

/** Removes a copy's guard, as somebody can who has the machine. */
export function removeGuard(copy: LedgerCopy): void {
  rmSync(copy.guard, { recursive: true, force: true })
}

function copyIn(folder: string): LedgerCopy {
  const data = join(folder, 'data')
  return { data, database: join(data, 'ledger.db'), guard: join(folder, 'guard') }
}

function writeKept(folder: string, kept: Kept, verifierKey: string): void {
  mkdirSync(folder)
  writeFileSync(join(folder, 'ledger.vkey'), `${verifierKey}\n`)
  writeFileSync(join(folder, 'kept.checkpoint'), kept.checkpoint)
  writeFileSync(join(folder, 'receipt.tlog-proof'), kept.receipt)
}

async function appendUpTo(ledger: Ledger, size: number): Promise<void> {
  const from = ledger.head().size
  await ledger.appendBatch(Array.from({ length: size - from }, (_, n) => payment(from + n)))
}

const requestId = (n: number) => `request-${n}`

function payment(n: number): EventInput {
  return {
    payload: JSON.stringify({ order: `order-${n}`, amount: 1000 + n }),
    meta: {
      type: 'info',
      event_name: 'payment.captured',
      service: 'payments',
      request_id: requestId(n),
      actor: { id: `u_${n % 7}` },
    },
    idempotencyKey: `payment-${n}`,
  }
}
