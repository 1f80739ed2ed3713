import { parentPort, workerData } from 'node:worker_threads'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import { type CheckedLedger, checkReceived, type ReceivedLedger } from './check-received.ts'

/** What the thread says: how far it is, and once how it ended. */
export type CheckAnswer =
  | { done: number; total: number }
  | { checked: CheckedLedger[] }
  | { refused: LedgerErrorCode; message: string }

// The entry of the thread that re-reads a file: the server answers meanwhile.
if (parentPort !== null) {
  const port = parentPort
  const say = (answer: CheckAnswer) => port.postMessage(answer)
  let said = 0
  try {
    const checked = await checkReceived(workerData as ReceivedLedger, (done, total) => {
      const now = Date.now()
      if (now - said < 100) return
      said = now
      say({ done, total })
    })
    say({ checked })
  } catch (error) {
    const known = error instanceof LedgerError
    say({ refused: known ? error.code : 'internal_error', message: known ? error.message : String(error) })
  }
}
