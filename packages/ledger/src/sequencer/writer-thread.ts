import { parentPort, workerData } from 'node:worker_threads'
import { LedgerError } from '../errors.ts'
import { openInlineWriter } from './inline-writer.ts'
import type { OpenedLedger, Sequenced, Submission, WriterConfig } from './submission.ts'

/** What the thread is asked to do; answered under the same id. */
export type WriterRequest = { id: number } & (
  | { do: 'append'; submissions: Submission[] }
  | { do: 'publish' }
  | { do: 'close' }
)

/** An error in a form that survives the way between threads. */
export interface PlainError {
  code: string
  message: string
}

/** What the thread says: once how the opening went, then one answer per request. */
export type WriterAnswer =
  | { opened: OpenedLedger }
  | { failed: PlainError }
  | { id: number; results: Sequenced[] }
  | { id: number; error: PlainError }

// The entry of the thread in which all writes of a ledger run: the caller's event loop never waits for a disk.
if (parentPort !== null) {
  const port = parentPort
  const say = (answer: WriterAnswer) => port.postMessage(answer)
  try {
    const writer = await openInlineWriter(workerData as WriterConfig)
    say({ opened: writer.ledger })
    port.on('message', async (request: WriterRequest) => {
      const { id } = request
      try {
        if (request.do === 'append') return say({ id, results: await writer.append(request.submissions) })
        await (request.do === 'publish' ? writer.publish() : writer.close())
        say({ id, results: [] })
        if (request.do === 'close') port.close()
      } catch (error) {
        say({ id, error: plain(error) })
      }
    })
  } catch (error) {
    say({ failed: plain(error) })
  }
}

function plain(error: unknown): PlainError {
  if (error instanceof LedgerError) return { code: error.code, message: error.message }
  return {
    code: 'internal_error',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }
}
