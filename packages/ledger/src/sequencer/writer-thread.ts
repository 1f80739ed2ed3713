import { parentPort, workerData } from 'node:worker_threads'
import { LedgerError } from '../errors.ts'
import type { ProducerAnnouncement } from '../producers/index.ts'
import type { KeyUse } from '../store/index.ts'
import { openInlineRawWriter, openInlineWriter } from './inline-writer.ts'
import type { OpenedLedger, Writer, WriterConfig } from './submission.ts'

/** What the thread is asked to do; answered under the same id. */
export type WriterRequest = { id: number } & (
  | { do: 'append'; submissions: unknown[] }
  | { do: 'publish' }
  | { do: 'touch'; uses: KeyUse[] }
  | { do: 'announce'; said: ProducerAnnouncement[] }
  | { do: 'close' }
)

/** An error in a form that survives the way between threads. */
export interface PlainError {
  code: string
  message: string
  /** What the operator's log is told, never a client. */
  detail?: string
}

/** What the thread says: once how the opening went, then one answer per request. */
export type WriterAnswer =
  | { opened: OpenedLedger }
  | { failed: PlainError }
  | { id: number; results: unknown[] }
  | { id: number; error: PlainError }
  | { warning: string | undefined }

// The entry of the thread in which all writes of a ledger run: the caller's event loop never waits for a disk.
if (parentPort !== null) {
  const port = parentPort
  const say = (answer: WriterAnswer) => port.postMessage(answer)
  try {
    const config = workerData as WriterConfig
    const open: (config: WriterConfig) => Promise<Writer<unknown, unknown>> =
      config.kind === 'raw' ? openInlineRawWriter : openInlineWriter
    const writer = await open(config)
    say({ opened: writer.ledger })
    let said: string | undefined
    port.on('message', async (request: WriterRequest) => {
      const { id } = request
      try {
        if (request.do === 'append') {
          say({ id, results: await writer.append(request.submissions) })
          if (writer.warning !== said) say({ warning: writer.warning })
          said = writer.warning
          return
        }
        if (request.do === 'publish') await writer.publish()
        else if (request.do === 'touch') await writer.touchKeys(request.uses)
        else if (request.do === 'announce') await writer.announce(request.said)
        else await writer.close()
        say({ id, results: [] })
        if (request.do === 'close') port.close()
      } catch (error) {
        say({ id, error: plain(error) })
      }
    })
  } catch (error) {
    // At the start it is the operator who reads this, so the cause comes along.
    const { code, message, detail } = plain(error)
    say({ failed: { code, message: code === 'internal_error' ? (detail ?? message) : message } })
  }
}

function plain(error: unknown): PlainError {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
  if (error instanceof LedgerError) {
    const { code, message, cause } = error
    return { code, message, ...(cause === undefined ? {} : { detail: String(cause) }) }
  }
  return { code: 'internal_error', message: 'The ledger failed on these events. Its log says why.', detail }
}
