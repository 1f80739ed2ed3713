import { parentPort, workerData } from 'node:worker_threads'
import { type LedgerRow, openSqliteReader } from '../store/index.ts'
import { storedKeys } from './idempotency-check.ts'
import type { KeySumState } from './key-sum.ts'
import { StretchCheck, type StretchResult } from './stretch-check.ts'

/** What a thread is started with. */
export interface WorkerStart {
  /** The database file. */
  path: string
  ledger: LedgerRow
  /** Of the key sums of this verification. */
  secret: string
}

/** One piece of work; each is answered in the order in which it came. */
export type WorkerTask =
  | { what: 'stretch'; first: number; end: number }
  /** Adds up table `idempotency`, as far as the tree of this size goes. */
  | { what: 'keys'; size: number }
  /** SQLite's own check of the file. */
  | { what: 'integrity' }

/** The answer; `failed` when the work met an error, which whoever asked meets again by doing it himself. */
export type WorkerAnswer =
  | { what: 'stretch'; result: StretchResult }
  | { what: 'keys'; sum: KeySumState }
  | { what: 'integrity'; lines: string[] }
  | { what: 'failed' }

const { path, ledger, secret } = workerData as WorkerStart
const reader = openSqliteReader(path)
const inspection = reader.inspection()
const stretches = new StretchCheck(inspection, ledger, secret)

parentPort?.on('message', (task: WorkerTask) => {
  const answer = answerTo(task)
  const transfer = answer.what === 'stretch' ? [answer.result.leafHashes.buffer as ArrayBuffer] : []
  parentPort?.postMessage(answer, transfer)
})

function answerTo(task: WorkerTask): WorkerAnswer {
  try {
    switch (task.what) {
      case 'stretch':
        return { what: 'stretch', result: stretches.run(task.first, task.end) }
      case 'keys':
        return { what: 'keys', sum: reader.snapshot(() => keysBelow(task.size)) }
      case 'integrity':
        return { what: 'integrity', lines: reader.integrityProblems() }
    }
  } catch {
    return { what: 'failed' }
  }
}

/** This connection may see later commits than the one that asks: their rows are none of its business. */
function keysBelow(size: number): KeySumState {
  const head = inspection.head(ledger.ledgerId)?.size ?? 0
  return storedKeys(inspection, ledger.ledgerId, secret, { laterThan: size, head })
}
