import { Worker } from 'node:worker_threads'
import { LedgerError } from '../errors.ts'
import type { CheckedLedger, ReceivedLedger } from './check-received.ts'
import type { CheckAnswer } from './check-worker.ts'

/**
 * Runs `checkReceived` in a thread of its own.
 *
 * @throws LedgerError as `checkReceived` does; `internal_error` when the thread is gone or was aborted
 */
export function checkInThread(
  received: ReceivedLedger,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<CheckedLedger[]> {
  const file = new URL(
    import.meta.url.endsWith('.ts') ? './check-worker.ts' : './check-worker.js',
    import.meta.url,
  )
  const worker = new Worker(file, { workerData: received })
  return new Promise<CheckedLedger[]>((resolve, reject) => {
    const gone = (why: string) => reject(new LedgerError('internal_error', `The check was cut off: ${why}`))
    signal.addEventListener('abort', () => gone('the move was given up.'), { once: true })
    worker.once('error', error => gone(error.message))
    worker.once('exit', code => gone(`its thread ended with code ${code}.`))
    worker.on('message', (answer: CheckAnswer) => {
      if ('checked' in answer) resolve(answer.checked)
      else if ('refused' in answer) reject(new LedgerError(answer.refused, answer.message))
      else onProgress(answer.done, answer.total)
    })
  }).finally(() => worker.terminate())
}
