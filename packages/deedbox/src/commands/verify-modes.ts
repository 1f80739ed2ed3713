import {
  checkReceipt,
  decodeUtf8,
  type ReceiptReport,
  TlogError,
  type Verdict,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { checkExport, checkLog, LogFetch, type LogState } from '../verification/index.ts'
import { readBytes } from './arguments.ts'
import { loadLedger } from './ledger-package.ts'
import type { Progress } from './progress.ts'
import type { Resumption } from './resumption.ts'
import { UsageError } from './usage-error.ts'
import { exportLines, logLines, receiptLines, storedLines } from './verify-texts.ts'

/** What one kind of verification came to. */
export interface Outcome {
  verdict: Verdict
  /** The signed note that it is about; empty: there is none that holds. */
  checkpoint: string
  /** For `--json`. */
  report: object
  /** What a reader sees below the verdict, without the caveats. */
  lines: string[]
  /** What was proved and what was not, to be shown when the verdict is a good one. */
  proved: string
  notProved: string[]
}

/** What every kind of verification is given. */
export interface Given {
  pinned: readonly VerifierKey[]
  kept?: string
}

/** @throws UsageError when the file is no receipt */
export function verifyReceipt(file: string, pinned: readonly VerifierKey[]): Outcome {
  let report: ReceiptReport
  try {
    report = checkReceipt(nodeCrypto, readBytes(file, 'receipt'), pinned)
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    throw new UsageError(`${file} is no receipt: ${error.message}`)
  }
  return {
    verdict: report.verdict,
    checkpoint: report.checkpoint === undefined ? '' : report.receipt.checkpoint,
    report: receiptJson(report),
    ...receiptLines(report),
  }
}

function receiptJson({ verdict, detail, leaf, checkpoint, receipt }: ReceiptReport): object {
  const disclosed = Object.entries(receipt.disclosed).map(([part, shown]) => [
    part,
    decodeUtf8(shown.content) ?? null,
  ])
  const tree = checkpoint === undefined ? {} : { origin: checkpoint.origin, size: checkpoint.size }
  return { verdict, detail, index: receipt.index, leaf, ...tree, disclosed: Object.fromEntries(disclosed) }
}

/** Checks an export without the ledger package. */
export async function verifyExport(file: string, given: Given, progress: Progress): Promise<Outcome> {
  const report = await checkExport(file, {
    ...given,
    onProgress: (done, total) => progress.show('events checked', done, total),
  })
  return { verdict: report.verdict, checkpoint: report.checkpoint, report, ...exportLines(report) }
}

/** Re-reads stored data with the ledger package: one ledger of the file, or all in turn. */
export async function verifyStored(
  folder: string,
  ledger: string | undefined,
  given: Given,
  resumption: Resumption,
  progress: Progress,
): Promise<Outcome[]> {
  const { verifyFolder, verifyEveryLedger } = await loadLedger('verify --data')
  const options = {
    folder,
    ...given,
    ...resumption.options(),
    onProgress: (checked: number, size: number) => progress.show('entries re-read', checked, size),
  }
  const reports =
    ledger === undefined ? await verifyEveryLedger(options) : [await verifyFolder({ ...options, ledger })]
  return reports.map(report => {
    const { verdict, checkpoint } = report
    return { verdict, checkpoint, report, ...storedLines(report) }
  })
}

/** Reads a log over HTTP without the ledger package. */
export async function verifyUrl(
  address: string,
  given: Given,
  resumption: Resumption,
  progress: Progress,
): Promise<Outcome> {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (
    url === undefined ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.username + url.password !== ''
  ) {
    throw new UsageError(
      '--url takes an address such as https://ledger.example/ledgers/main, without a password.',
    )
  }
  const apiKey = ownApiKey(url)
  const going = resumption.options<LogState>()
  const { signal } = going
  const log = new LogFetch(url, {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(signal === undefined ? {} : { signal }),
  })
  try {
    const report = await checkLog(log, {
      ...given,
      ...going,
      onProgress: (done, total) => progress.show('entries read', done, total),
    })
    return { verdict: report.verdict, checkpoint: report.checkpoint, report, ...logLines(report) }
  } finally {
    log.close()
  }
}

/** A key of a ledger is never sent to anybody else: with `DEEDBOX_URL` set, it is that server's. */
function ownApiKey(url: URL): string | undefined {
  const { DEEDBOX_API_KEY: key, DEEDBOX_URL: home } = process.env
  if (key === undefined || !key.startsWith('deed_')) return undefined
  const isElsewhere = home !== undefined && URL.canParse(home) && new URL(home).origin !== url.origin
  return isElsewhere ? undefined : key
}
