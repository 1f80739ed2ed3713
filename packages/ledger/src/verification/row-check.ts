import { type EventLeaf, matchesCommitment, type Part, parseEventLeaf, parts, TlogError } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { columnNames, columnsOfParts } from '../events/index.ts'
import { indexOfTxId } from '../sequencer/index.ts'
import { type EventRow, type LedgerRow, positionOf } from '../store/index.ts'
import { partOf } from '../stored-event.ts'
import { type ApiKeyCheck, isKeyLeafName } from './api-key-check.ts'
import type { Findings } from './findings.ts'
import type { IdempotencyCheck, KeyUse } from './idempotency-check.ts'
import { type LedgerCheck, ledgerCreated } from './ledger-check.ts'
import type { TermCheck } from './term-check.ts'

/** A row of `events` with the ledger that it says it belongs to. */
export type AuditedRow = EventRow & { ledgerColumn: number }

/** Checks the rows of one ledger, each in itself: leaf, parts, columns. In order, for times never decrease. */
export class RowCheck {
  /** Rows of which everything was checked and is well. */
  checked = 0
  /** Milliseconds since the epoch, of the last leaf read; 0 before the first. */
  lastAt = 0
  readonly #ledger: LedgerRow
  readonly #findings: Findings
  readonly #idempotency: IdempotencyCheck
  readonly #apiKeys: ApiKeyCheck
  readonly #terms: TermCheck
  readonly #ledgers: LedgerCheck

  /** The last three are told what the committed parts say about other tables. */
  constructor(
    ledger: LedgerRow,
    findings: Findings,
    idempotency: IdempotencyCheck,
    apiKeys: ApiKeyCheck,
    ledgers: LedgerCheck,
    terms: TermCheck,
  ) {
    this.#ledgers = ledgers
    this.#ledger = ledger
    this.#findings = findings
    this.#idempotency = idempotency
    this.#apiKeys = apiKeys
    this.#terms = terms
  }

  check(row: AuditedRow): void {
    const { index } = row
    const before = this.#findings.count
    const leaf = this.#readLeaf(row)
    this.#terms.pass(positionOf(this.#ledger.ledgerId, index))
    if (leaf === undefined) return
    const sound: Partial<Record<Part, Uint8Array>> = {}
    for (const part of parts) {
      const shown = partOf(row, part)
      if (shown === null) {
        this.#findings.add(
          'content_missing',
          `The ${part} of event ${index} is gone, and no erasure names it.`,
          index,
        )
      } else if (!matchesCommitment(nodeCrypto, leaf, part, shown)) {
        this.#findings.add(
          'content_mismatch',
          `The ${part} of event ${index} is not what was committed to.`,
          index,
        )
      } else sound[part] = shown.content
    }
    try {
      if (sound.server !== undefined)
        this.#idempotency.expect(index, JSON.parse(textOf(sound.server)) as KeyUse)
      if (this.#findings.count === before)
        this.#checkColumns(row, leaf, textOf(sound.core), textOf(sound.context))
      const name = row.columns.event_name
      if (leaf.kind === 'admin' && isKeyLeafName(name) && sound.payload !== undefined) {
        this.#apiKeys.expect(index, name, Date.parse(leaf.at), sound.payload)
      }
      if (leaf.kind === 'admin' && row.columns.event_name === ledgerCreated && sound.payload !== undefined) {
        this.#ledgers.expect(index, sound.payload)
      }
    } catch (error) {
      this.#findings.add(
        'content_mismatch',
        `A part of event ${index} cannot be read: ${String(error)}`,
        index,
      )
    }
    if (this.#findings.count === before) this.checked++
  }

  #readLeaf(row: EventRow): EventLeaf | undefined {
    const { index } = row
    let leaf: EventLeaf
    try {
      leaf = parseEventLeaf(row.leaf)
    } catch (error) {
      const later = error instanceof TlogError && error.code === 'unknown_version'
      const verdict = later ? 'unknown_version' : 'content_mismatch'
      this.#findings.add(verdict, `The leaf ${index} cannot be read: ${String(error)}`, index)
      return undefined
    }
    const at = Date.parse(leaf.at)
    if (leaf.ledger !== this.#ledger.origin || indexOfTxId(leaf.tx_id) !== index || at < this.lastAt) {
      this.#findings.add(
        'content_mismatch',
        `The leaf ${index} belongs to another ledger, place or time.`,
        index,
      )
    }
    this.lastAt = at
    return leaf
  }

  #checkColumns(row: AuditedRow, leaf: EventLeaf, core: string, context: string): void {
    const same = (column: string, stored: unknown, derived: unknown) => {
      if (stored === derived) return
      const detail = `Table events, row ${row.index}, column ${column}: not what the event says.`
      this.#findings.add('index_mismatch', detail, row.index)
    }
    const derived = columnsOfParts(core, context)
    this.#terms.expect(positionOf(this.#ledger.ledgerId, row.index), derived)
    for (const column of columnNames) same(column, row.columns[column], derived[column])
    same('at', row.at, Date.parse(leaf.at))
    same('kind', row.kind, leaf.kind)
    same('ledger_id', row.ledgerColumn, this.#ledger.ledgerId)
  }
}

function textOf(content: Uint8Array | undefined): string {
  return Buffer.from(content ?? []).toString('utf8')
}
