import { type Part, parseEventLeaf, parts } from '@deedbox/tlog'
import type { EventRow } from '../store/index.ts'
import { partOf } from '../stored-event.ts'

/** What is the same in every receipt of an export. */
export interface ExportFrame {
  /** The signed note that every receipt of the export ends with. */
  checkpoint: string
  /** The newest verifier key, as receipts carry it. */
  verifierKey: string
}

/**
 * One event as a line of an export, without the line's end: what is stored of it, the salts of the parts that are
 * there, and its receipt without disclosures. What was erased is null or absent.
 *
 * @param proof the hashes of the inclusion proof in base64, the leaf's sibling first
 */
export function exportLine(row: EventRow, proof: readonly string[], frame: ExportFrame): string {
  const { tx_id, at } = parseEventLeaf(row.leaf)
  const text: Partial<Record<Part, string>> = {}
  const salts: Partial<Record<Part, string>> = {}
  for (const part of parts) {
    const shown = partOf(row, part)
    if (shown === null) continue
    text[part] = Buffer.from(shown.content).toString('utf8')
    salts[part] = Buffer.from(shown.salt).toString('base64')
  }
  return JSON.stringify({
    index: row.index,
    tx_id,
    at,
    kind: row.kind,
    payload: text.payload ?? null,
    meta: { ...objectOf(text.core), ...objectOf(text.context) },
    server: objectOf(text.server) ?? null,
    salts,
    receipt: receiptText(row, proof, frame),
  })
}

/**
 * The text that `formatReceipt` of `@deedbox/tlog` gives, which a test compares; that one has no native base64 and
 * takes twenty times as long, which is too long for a million.
 */
function receiptText(
  row: EventRow,
  proof: readonly string[],
  { checkpoint, verifierKey }: ExportFrame,
): string {
  const leaf = Buffer.from(row.leaf).toString('base64')
  const extra = `{"disclosed":{},"leaf":"${leaf}","v":1,"vkey":${JSON.stringify(verifierKey)}}`
  const lines = ['c2sp.org/tlog-proof@v1', `extra ${Buffer.from(extra).toString('base64')}`]
  lines.push(`index ${row.index}`, ...proof, '')
  return `${lines.join('\n')}\n${checkpoint}`
}

/** A part that somebody changed may be no JSON: then it is left out, and whoever checks the line finds it missing. */
function objectOf(text: string | undefined): object | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
