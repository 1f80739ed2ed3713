import { type EventLeaf, matchesCommitment, type Part, parseEventLeaf, parts, TlogError } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { columnNames, columnsOfParts, type EventColumns } from '../events/index.ts'
import { indexOfTxId } from '../sequencer/index.ts'
import type { EventRow, LedgerRow } from '../store/index.ts'
import { partOf } from '../stored-event.ts'
import type { Findings } from './findings.ts'
import type { KeyUse } from './idempotency-check.ts'

/** A row of `events` with the ledger that it says it belongs to. */
export type AuditedRow = EventRow & { ledgerColumn: number }

/** What a row turned out to say. */
export interface RowReading {
  /** Nothing was found in it. Parts may be missing: whether they may is not for the row to say. */
  sound: boolean
  leaf?: EventLeaf
  /** The parts that are what was committed to. */
  parts: Partial<Record<Part, Uint8Array>>
  /** The parts that are gone. */
  missing: Part[]
  /** What still stands in columns although the part it came from is gone. */
  leftovers: string[]
  server?: KeyUse
  /** Derived from the parts that are there; absent unless the row is sound. */
  columns?: EventColumns
}

/**
 * Reads one row of an events ledger and says what is wrong with it: leaf, parts, columns. This is the diagnosis; rows
 * that are as they should be are mostly recognised faster (see `stretch-check.ts`).
 *
 * @param lastAt the time of the leaf before, milliseconds
 */
export function checkRow(row: AuditedRow, ledger: LedgerRow, lastAt: number, findings: Findings): RowReading {
  const { index } = row
  const before = findings.count
  const reading: RowReading = { sound: false, parts: {}, missing: [], leftovers: [] }
  const leaf = readLeaf(row, ledger, lastAt, findings)
  if (leaf === undefined) return reading
  reading.leaf = leaf
  for (const part of parts) {
    const shown = partOf(row, part)
    if (shown === null) {
      reading.missing.push(part)
      if (row[part] !== null || row[`${part}Salt`] !== null) {
        reading.leftovers.push(`Table events, row ${index}, column ${part}: half of the erased part is left.`)
      }
    } else if (matchesCommitment(nodeCrypto, leaf, part, shown)) reading.parts[part] = shown.content
    else {
      findings.add('content_mismatch', `The ${part} of event ${index} is not what was committed to.`, index)
    }
  }
  try {
    const { core, context, server } = reading.parts
    if (server !== undefined) reading.server = JSON.parse(textOf(server)) as KeyUse
    if (findings.count === before) {
      reading.columns = columnsOfParts(textOf(core), textOf(context))
      compareColumns(row, leaf, ledger, reading, findings)
    }
  } catch (error) {
    findings.add('content_mismatch', `A part of event ${index} cannot be read: ${String(error)}`, index)
  }
  reading.sound = findings.count === before
  return reading
}

function readLeaf(
  row: EventRow,
  ledger: LedgerRow,
  lastAt: number,
  findings: Findings,
): EventLeaf | undefined {
  const { index } = row
  let leaf: EventLeaf
  try {
    leaf = parseEventLeaf(row.leaf)
  } catch (error) {
    const later = error instanceof TlogError && error.code === 'unknown_version'
    const verdict = later ? 'unknown_version' : 'content_mismatch'
    findings.add(verdict, `The leaf ${index} cannot be read: ${String(error)}`, index)
    return undefined
  }
  if (leaf.ledger !== ledger.origin || indexOfTxId(leaf.tx_id) !== index || Date.parse(leaf.at) < lastAt) {
    findings.add('content_mismatch', misplaced(index), index)
  }
  return leaf
}

/** The finding about a leaf that cannot stand where it stands. */
export function misplaced(index: number): string {
  return `The leaf ${index} belongs to another ledger, place or time.`
}

function compareColumns(
  row: AuditedRow,
  leaf: EventLeaf,
  ledger: LedgerRow,
  { columns, missing, leftovers }: RowReading,
  findings: Findings,
): void {
  const incomplete = missing.includes('core') || missing.includes('context')
  const same = (column: string, stored: unknown, derived: unknown) => {
    if (stored === derived) return
    const detail = `Table events, row ${row.index}, column ${column}: not what the event says.`
    if (incomplete && derived === null) leftovers.push(detail)
    else findings.add('index_mismatch', detail, row.index)
  }
  for (const column of columnNames) same(column, row.columns[column], columns?.[column])
  same('at', row.at, Date.parse(leaf.at))
  same('kind', row.kind, leaf.kind)
  same('ledger_id', row.ledgerColumn, ledger.ledgerId)
}

/** A part that is gone says nothing. */
function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '{}' : Buffer.from(bytes).toString('utf8')
}
