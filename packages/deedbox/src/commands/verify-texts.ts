import { decodeUtf8, type Finding, parts, type ReceiptReport } from '@deedbox/tlog'
import type { ExportReport, LogReport } from '../verification/index.ts'
import type { DataReport } from './ledger-package.ts'

/** What a reader of a report sees below its verdict. */
export interface ReportLines {
  lines: string[]
  /** One sentence; shown when the verdict is a good one. */
  proved: string
  notProved: string[]
}

/** A receipt. */
export function receiptLines({ detail, leaf, checkpoint, receipt }: ReceiptReport): ReportLines {
  const lines = [`  ${safe(detail)}`]
  if (leaf !== undefined)
    lines.push(`  event       ${safe(leaf.tx_id)}, recorded ${leaf.at}`, `  ledger      ${safe(leaf.ledger)}`)
  if (checkpoint !== undefined) {
    for (const part of parts) {
      const shown = receipt.disclosed[part]
      if (shown !== undefined) lines.push(`  ${part.padEnd(11)} ${printable(shown.content)}`)
    }
  }
  const proved = 'This leaf stands at this place in the tree that the ledger signed.'
  return { lines, proved, notProved: [] }
}

/** An export. */
export function exportLines(report: ExportReport): ReportLines {
  const { checked, redacted, origin, from, to, size, complete } = report
  return {
    // An export that broke off names no ledger.
    lines: [
      ...findingLines(report),
      ...(origin === ''
        ? []
        : [
            `  ledger      ${safe(origin)}`,
            `  checked     ${events(checked)} of the entries ${from} to ${to - 1}, every part that is shown${andRedacted(redacted)}`,
            `  checkpoint  of ${size} entries`,
          ]),
    ],
    proved: complete
      ? 'These are all entries of this range, unchanged and in order, of the tree that the ledger signed.'
      : 'Each of these events stands unchanged at its place in the tree that the ledger signed.',
    notProved: complete
      ? []
      : ['That nothing else fits the filters of the export: it shows only what they found.'],
  }
}

/** Stored data. */
export function storedLines(report: DataReport): ReportLines {
  const { checked, redacted, kind, size, origin, newestAt, notAttested, earlier } = report
  const isRaw = kind === 'raw'
  const what = isRaw ? 'entries of a raw ledger' : 'events, all parts and search columns'
  const newest = `recorded ${newestAt}${isRaw ? ' by its own account' : ''}, the last that was read of ${size}`
  return {
    lines: [
      ...findingLines(report),
      `  ledger      ${safe(origin)}`,
      ...movedLines(report),
      `  re-read     ${checked} of ${size} ${what}${andRedacted(redacted)}`,
      ...earlierLines(earlier),
      `  newest      ${newestAt === null ? 'no entry' : newest}`,
    ],
    proved: 'Nothing was changed, dropped or reordered relative to the checkpoint that the key signed.',
    notProved: [
      openEnd(report),
      'That these columns are true, which serve the server alone and no event depends on:',
      `${notAttested.join(', ')}.`,
    ],
  }
}

function movedLines({ moved }: DataReport): string[] {
  if (moved === undefined) return []
  const { url, at, guardSize } = moved
  const seen =
    guardSize === null
      ? []
      : [`              this machine's guard has seen ${guardSize} entries: what is not here is there`]
  return [`  moved       to ${safe(url)}, which goes on with it; begun ${safe(at)}`, ...seen]
}

/** A log that was read over HTTP. */
export function logLines(report: LogReport): ReportLines {
  const { checked, size, origin, isEvents, newestAt, earlier } = report
  const what = isEvents ? 'leaves of events' : 'entries'
  return {
    lines: [
      ...findingLines(report),
      `  ledger      ${safe(origin)}`,
      `  read        ${checked} of ${size} ${what}, and every hash tile`,
      ...earlierLines(earlier),
      ...(newestAt === null ? [] : [`  newest      recorded ${newestAt}`]),
    ],
    proved: 'The entries are those of the checkpoint that the key signed, all of them and in order.',
    notProved: [
      openEnd(report),
      ...(isEvents
        ? ['Any content: the log has only the leaves. Receipts, exports and the data folder have content.']
        : []),
    ],
  }
}

function findingLines({ findings, found }: { findings: Finding[]; found: number }): string[] {
  const lines = findings.map(({ verdict, index, detail }) => {
    const place = index === undefined ? '' : ` at index ${index}`
    return `  ${verdict}${place}: ${safe(detail)}`
  })
  return found > findings.length ? [...lines, `  … and ${found - findings.length} more`] : lines
}

function earlierLines(earlier: readonly { from: number; to: number; at: string }[]): string[] {
  return earlier.map(
    ({ from, to, at }) =>
      `  earlier     entries ${from} to ${to - 1} were read in a run that ended ${safe(at)}, and not again`,
  )
}

/** An old copy of a ledger is sound in itself: only something kept elsewhere shows that its end is missing. */
function openEnd({ keptSize, size }: { keptSize: number; size: number }): string {
  if (keptSize === 0) {
    return 'That the end was not cut off: there is nothing to compare with. Give a checkpoint that you kept: --checkpoint.'
  }
  return (
    `That nothing was cut off after entry ${size - 1}: the checkpoint or guard at hand reaches to entry ${keptSize - 1}, ` +
    'and what came later has no witness.'
  )
}

function andRedacted(redacted: number): string {
  return redacted === 0 ? '' : `; ${redacted} more without what was erased`
}

function events(n: number): string {
  return n === 1 ? '1 event' : `${n} events`
}

function printable(content: Uint8Array): string {
  const text = decodeUtf8(content)
  return text === undefined ? `${content.length} bytes that are not text` : safe(text)
}

/** Control characters in what somebody else wrote must not steer the reader's terminal. */
export function safe(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
