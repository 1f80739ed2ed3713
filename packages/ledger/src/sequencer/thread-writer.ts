import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import type { ProducerAnnouncement } from '../producers/index.ts'
import type { KeyUse } from '../store/index.ts'
import type { Refused } from './admin-change.ts'
import type { OpenedLedger, Sequenced, Submission, Writer, WriterConfig } from './submission.ts'
import type { PlainError, WriterAnswer, WriterRequest } from './writer-thread.ts'

/** The file of the thread, beside this one: TypeScript when run from the sources, JavaScript when built. */
function ownThreadFile(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? './writer-thread.ts' : './writer-thread.js',
    import.meta.url,
  )
}

type Pending = { resolve: (results: unknown[]) => void; reject: (error: LedgerError) => void }

/**
 * Opens the ledger of `config` for writing in a thread of its own.
 *
 * @param threadFile where the thread's file is, for programs bundled into one file
 * @throws LedgerError `worker_missing`, or why the ledger does not open
 */
export function openThreadWriter<Item = Submission, Result = Sequenced>(
  config: WriterConfig,
  threadFile: URL | undefined,
): Promise<Writer<Item, Result>> {
  const file = threadFile ?? ownThreadFile()
  if (file.protocol === 'file:' && !existsSync(fileURLToPath(file))) {
    throw new LedgerError(
      'worker_missing',
      `The ledger's writer thread was not found at ${fileURLToPath(file)}. A bundler leaves it behind: keep ` +
        '@deedbox/ledger external, or set the option writerThread to the copied file, or inline: true in a script.',
    )
  }
  const worker = new Worker(file, {
    workerData: config,
    name: 'deedbox-writer',
    // What a batch leaves behind is short-lived; by default the engine would keep up to 96 MB for it.
    resourceLimits: { maxYoungGenerationSizeMb: 24 },
    // --input-type is for a program given as text; a thread's file says by its name what it is.
    ...(process.execArgv.some(option => option.startsWith('--input-type')) ? { execArgv: [] } : {}),
  })
  return new Promise((resolve, reject) => {
    const failed = (error: Error) =>
      reject(new LedgerError('internal_error', error.message, { cause: error }))
    worker.once('error', failed)
    worker.once('exit', code =>
      failed(new Error(`The writer thread ended with code ${code} before it had opened.`)),
    )
    worker.once('message', (answer: WriterAnswer) => {
      if ('opened' in answer) {
        worker.off('error', failed)
        resolve(new ThreadWriter<Item, Result>(worker, answer.opened))
      } else if ('failed' in answer) {
        reject(revived(answer.failed))
      }
    })
  })
}

class ThreadWriter<Item, Result> implements Writer<Item, Result> {
  readonly ledger: OpenedLedger
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #nextId = 0
  #gone: LedgerError | undefined
  #warning: string | undefined

  constructor(worker: Worker, ledger: OpenedLedger) {
    this.ledger = ledger
    this.#worker = worker
    worker.on('message', (answer: WriterAnswer) => this.#settle(answer))
    worker.on('error', error => this.#lose(error))
    worker.on('exit', code => this.#lose(new Error(`The writer thread ended with code ${code}.`)))
    // A script that only opened a ledger may end; requests under way hold the process (see #ask).
    worker.unref()
  }

  get failure(): LedgerError | undefined {
    return this.#gone
  }

  get warning(): string | undefined {
    return this.#warning
  }

  append(submissions: Item[]): Promise<(Result | Refused)[]> {
    // What comes back is what the writer of the same config in the thread answers.
    return this.#ask({ id: this.#nextId++, do: 'append', submissions }) as Promise<(Result | Refused)[]>
  }

  async publish(): Promise<void> {
    await this.#ask({ id: this.#nextId++, do: 'publish' })
  }

  async touchKeys(uses: KeyUse[]): Promise<void> {
    await this.#ask({ id: this.#nextId++, do: 'touch', uses })
  }

  async announce(said: ProducerAnnouncement[]): Promise<void> {
    await this.#ask({ id: this.#nextId++, do: 'announce', said })
  }

  async close(): Promise<void> {
    if (this.#gone !== undefined) return
    await this.#ask({ id: this.#nextId++, do: 'close' })
    this.#lose(
      new Error('closed'),
      new LedgerError('ledger_stopped', 'The ledger was closed. Open it again to append.'),
    )
    await this.#worker.terminate()
  }

  #ask(request: WriterRequest): Promise<unknown[]> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone)
    return new Promise((resolve, reject) => {
      // First: what cannot be copied to another thread throws here and must leave nothing behind.
      this.#worker.postMessage(request)
      if (this.#pending.size === 0) this.#worker.ref()
      this.#pending.set(request.id, { resolve, reject })
    })
  }

  #settle(answer: WriterAnswer): void {
    if ('warning' in answer) this.#warning = answer.warning
    if (!('id' in answer)) return
    const pending = this.#pending.get(answer.id)
    this.#pending.delete(answer.id)
    if (this.#pending.size === 0) this.#worker.unref()
    if ('results' in answer) pending?.resolve(answer.results)
    else pending?.reject(revived(answer.error))
  }

  /** The thread is gone: what it had under way may or may not have been committed, and nothing more is taken. */
  #lose(
    cause: unknown,
    why: LedgerError = new LedgerError(
      'ledger_stopped',
      'The writer thread of the ledger has ended. Restart the ledger.',
      {
        cause,
      },
    ),
  ): void {
    this.#gone ??= why
    for (const pending of this.#pending.values()) {
      pending.reject(
        new LedgerError(
          'outcome_unknown',
          'The writer thread ended before it confirmed the commit. Send the events again with the same keys.',
          { cause },
        ),
      )
    }
    this.#pending.clear()
  }
}

function revived(error: PlainError): LedgerError {
  const cause = error.detail === undefined ? undefined : { cause: error.detail }
  return new LedgerError(error.code as LedgerErrorCode, error.message, cause)
}
