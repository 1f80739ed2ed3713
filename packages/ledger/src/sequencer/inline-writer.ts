import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { openCheckpoint, parseVerifierKey, TlogError } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { LedgerError } from '../errors.ts'
import { makeFolder } from '../make-folder.ts'
import type { ProducerAnnouncement } from '../producers/index.ts'
import { markKeyUsed } from '../signing/index.ts'
import {
  CommitOutcomeUnknown,
  type HeadRow,
  type KeyUse,
  type LedgerStore,
  openSqliteStore,
  type StoreTransaction,
} from '../store/index.ts'
import type { Refused } from './admin-change.ts'
import { checkGuard } from './check-guard.ts'
import { checkNotLost, findOrCreate } from './create-ledger.ts'
import { dedupSecret } from './idempotency.ts'
import { noteAnnouncements } from './producer-notes.ts'
import { fileGuard, type RollbackGuard } from './rollback-guard.ts'
import { currentTree, type LedgerState, sequence } from './sequence.ts'
import { sequenceRaw } from './sequence-raw.ts'
import type { OpenedLedger, Sequenced, Submission, Writer, WriterConfig } from './submission.ts'

/** A checkpoint becomes public at most this often, in milliseconds (DESIGN §7.3). */
const publishInterval = 1_000

/** How one kind of ledger turns what is submitted into leaves, inside a transaction. */
type Sequencing<Item, Result> = (
  tx: StoreTransaction,
  ledger: LedgerState,
  items: readonly Item[],
  now: number,
) => Promise<{ results: (Result | Refused)[]; head: HeadRow }>

/** Opens the ledger of `config` for writing in this thread, on the SQLite file that it names. */
export function openInlineWriter(config: WriterConfig): Promise<Writer> {
  return openFile(config, store => openWriterOn(store, config))
}

/** The same for a raw ledger. */
export function openInlineRawWriter(config: WriterConfig): Promise<Writer<Uint8Array, number>> {
  return openFile(config, store => openOn(store, config, sequenceRaw))
}

async function openFile<W>(config: WriterConfig, open: (store: LedgerStore) => Promise<W>): Promise<W> {
  try {
    makeFolder(dirname(config.path))
  } catch (cause) {
    throw new LedgerError(
      'storage_failed',
      `The folder ${dirname(config.path)} cannot be made: ${String(cause)}`,
      {
        cause,
      },
    )
  }
  if (!existsSync(config.path)) checkNotLost(config)
  const store = openSqliteStore(config.path)
  try {
    return await open(store)
  } catch (error) {
    await store.close()
    throw error
  }
}

/**
 * The same on any store. Verifies the right edge, the head's signature and the rollback guard before it resolves.
 *
 * @throws LedgerError one of the codes under "why a ledger does not open"
 */
export function openWriterOn(store: LedgerStore, config: WriterConfig): Promise<Writer> {
  return openOn<Submission, Sequenced>(store, config, sequence)
}

async function openOn<Item, Result>(
  store: LedgerStore,
  config: WriterConfig,
  sequencing: Sequencing<Item, Result>,
): Promise<Writer<Item, Result>> {
  const guard = config.guardFolder === null ? null : fileGuard(config.guardFolder)
  const warnings: string[] = []
  const opened = await store.transaction(async tx => {
    const { row, keys, keySource, created } = await findOrCreate(tx, config)
    const head = await tx.head(row.ledgerId)
    const warning = guard === null ? null : await checkGuard(tx, guard, row, head)
    if (warning !== null) warnings.push(warning)
    checkHead(head, row.verifierKeys)
    const state: LedgerState = {
      ledgerId: row.ledgerId,
      origin: row.origin,
      signers: keys.signers,
      secret: dedupSecret(keys.firstSeed),
      edge: undefined,
      seen: head,
    }
    state.edge = { head, tree: await currentTree(tx, state, head) }
    return { row, created, state, head, keySource }
  })
  const { row, created, state, head, keySource } = opened
  markKeyUsed(keySource, row.name)
  guard?.store(row.origin, head.note)
  const { ledgerId, name, origin, verifierKeys } = row
  const about = { ledgerId, name, origin, verifierKeys, created, warnings }
  return new InlineWriter(store, state, guard, about, sequencing)
}

function checkHead(head: HeadRow, verifierKeys: readonly string[]): void {
  const signed = openCheckpoint(
    nodeCrypto,
    head.note,
    verifierKeys.map(key => parseVerifierKey(nodeCrypto.sha256, key)),
  )
  if (signed.size !== head.size || Buffer.compare(signed.root, head.root) !== 0) {
    throw new LedgerError(
      'edge_damaged',
      `The head of size ${head.size} is not the one that was signed last. Run "deedbox verify --data …", move the ` +
        'file away and put a backup back with "deedbox restore <backup> --data …".',
    )
  }
}

class InlineWriter<Item, Result> implements Writer<Item, Result> {
  readonly ledger: OpenedLedger
  readonly #store: LedgerStore
  readonly #state: LedgerState
  readonly #guard: RollbackGuard | null
  readonly #sequence: Sequencing<Item, Result>
  /** Wall-clock milliseconds of the last publication by this writer. */
  #publishedAt = 0
  /** For good: what is stored is damaged. */
  #stopped: LedgerError | undefined
  /** A transaction failed in a way after which the database has to be read anew. */
  #suspect = false
  #warning: string | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    store: LedgerStore,
    state: LedgerState,
    guard: RollbackGuard | null,
    ledger: OpenedLedger,
    sequencing: Sequencing<Item, Result>,
  ) {
    this.#sequence = sequencing
    this.#store = store
    this.#state = state
    this.#guard = guard
    this.ledger = ledger
  }

  get failure(): LedgerError | undefined {
    return this.#stopped
  }

  get warning(): string | undefined {
    return this.#warning
  }

  append(submissions: Item[]): Promise<(Result | Refused)[]> {
    return this.#inTurn(async () => {
      const now = Date.now()
      const { results, head } = await this.#transaction(async tx => {
        const done = await this.#sequence(tx, this.#state, submissions, now)
        // A clock that was set back must not silence the log, hence the absolute difference.
        if (Math.abs(now - this.#publishedAt) >= publishInterval) {
          await tx.publishCheckpoint(this.#state.ledgerId, done.head.size, done.head.note, now)
          this.#publishedAt = now
        }
        return done
      })
      this.#state.seen = head
      this.#keepGuard(head)
      return results
    })
  }

  publish(): Promise<void> {
    return this.#inTurn(async () => {
      const now = Date.now()
      await this.#transaction(async tx => {
        const head = await tx.head(this.#state.ledgerId)
        await tx.publishCheckpoint(this.#state.ledgerId, head.size, head.note, now)
      })
      this.#publishedAt = now
    })
  }

  touchKeys(uses: KeyUse[]): Promise<void> {
    return this.#inTurn(() => this.#transaction(async tx => tx.touchApiKeys(uses)))
  }

  announce(said: ProducerAnnouncement[]): Promise<void> {
    const { ledgerId } = this.#state
    return this.#inTurn(() => this.#transaction(tx => noteAnnouncements(tx, ledgerId, said, Date.now())))
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#store.close())
  }

  /** One at a time: a connection has one transaction. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    if (this.#stopped !== undefined) throw this.#stopped
    if (this.#suspect) await this.#reload()
    const before = this.#state.edge?.head
    try {
      return await this.#store.transaction(work)
    } catch (error) {
      this.#state.edge = undefined
      const failedStorage = error instanceof LedgerError && error.code === 'storage_failed'
      if (error instanceof CommitOutcomeUnknown || failedStorage) {
        this.#suspect = true
        throw await this.#judge(error, before)
      }
      if (isDamage(error)) this.#stopped = stoppedBy(error)
      throw error
    }
  }

  /**
   * After an unknown outcome or an I/O error nothing in memory, the page cache included, may be believed
   * (pitfall P13): open anew and verify the right edge before anything else. While that fails nothing is written;
   * if what is read is damaged, the ledger stops.
   */
  async #reload(): Promise<HeadRow> {
    try {
      await this.#store.reopen()
      const head = await this.#store.transaction(async tx => {
        const head = await tx.head(this.#state.ledgerId)
        checkHead(head, this.ledger.verifierKeys)
        this.#state.edge = { head, tree: await currentTree(tx, this.#state, head) }
        return head
      })
      this.#suspect = false
      return head
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#stopped = stoppedBy(error)
      throw this.#stopped
    }
  }

  /** What the callers of a failed transaction are told: that nothing is stored, if a second look shows it. */
  async #judge(error: LedgerError | CommitOutcomeUnknown, before: HeadRow | undefined): Promise<LedgerError> {
    const said = error instanceof LedgerError ? error : error.cause
    try {
      const { size } = await this.#reload()
      if (size === before?.size && said instanceof LedgerError) return said
    } catch (cause) {
      if (cause instanceof LedgerError && cause === this.#stopped) return cause
    }
    return new LedgerError(
      'outcome_unknown',
      'The database did not confirm the commit. Send the events again with the same idempotency keys.',
      { cause: error },
    )
  }

  /** The events are durable whatever happens here, so a guard that cannot be stored takes nothing back. */
  #keepGuard(head: HeadRow): void {
    if (this.#guard === null) return
    try {
      this.#guard.store(this.#state.origin, head.note)
      this.#warning = undefined
    } catch (cause) {
      this.#warning ??= `The rollback guard cannot be stored, so an old copy of the database may go unnoticed: ${String(cause)}`
    }
  }
}

/** What is stored is not what was signed; no later attempt will find it otherwise. */
function isDamage(error: unknown): boolean {
  if (error instanceof TlogError) return true
  return error instanceof LedgerError && ['edge_damaged', 'rolled_back', 'fork'].includes(error.code)
}

function stoppedBy(cause: unknown): LedgerError {
  return new LedgerError(
    'ledger_stopped',
    'The ledger takes no more events, because its database cannot be trusted any more. Restart it: it then says why.',
    { cause },
  )
}
