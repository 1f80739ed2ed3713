import { availableParallelism } from 'node:os'
import type { LedgerRow, SqliteReader } from '../store/index.ts'
import type { DataCheck, DataReport } from './data-report.ts'
import type { KeySumState } from './key-sum.ts'
import { LedgerVerification } from './ledger-verification.ts'
import type { VerificationState } from './progress-state.ts'
import type { StretchResult } from './stretch-check.ts'
import { StretchThreads } from './stretch-threads.ts'
import { stretchLength } from './term-check.ts'

/** How {@link verifyInThreads} goes about it. */
export interface ThreadOptions {
  /** Gets the state after every full stretch, as long as nothing was found, and is to keep the last one; see `DataCheck.resume`. */
  save?: (state: () => VerificationState) => void
  /** Ends the verification after the stretch at hand. */
  signal?: AbortSignal
  /** Threads beside this one; default: as many as there are processors, and none for a small ledger. */
  threads?: number
}

/** More threads than this wait for the disk and for this thread, which puts the tree together. */
const maxThreads = 8

/** Starting a thread costs about as much as checking this many stretches. */
const worthIt = 4

/**
 * Does what `verifyData` does, on all processors, and can be interrupted.
 *
 * The threads read through connections of their own, so each sees the newest commit at its time and not this thread's
 * snapshot. That is enough: a row below the size of the snapshot's head is never changed by a ledger, and whatever a
 * thread saw has to hash to the root of that head. The one exception is an erasure, which takes parts away. So what a
 * thread has to object to does not count: the stretch is checked again here, in the snapshot.
 *
 * @throws LedgerError `storage_failed`, `invalid_option` for a state that does not fit; the signal's reason
 */
export async function verifyInThreads(
  reader: SqliteReader,
  path: string,
  ledger: LedgerRow,
  check: DataCheck,
  options: ThreadOptions = {},
): Promise<DataReport> {
  reader.beginSnapshot()
  try {
    const verification = new LedgerVerification(reader, ledger, check)
    const run = new Run(verification, reader, { path, ledger, ...options })
    try {
      await run.toTheEnd()
    } finally {
      await run.close()
    }
    return verification.report()
  } finally {
    reader.endSnapshot()
  }
}

class Run {
  readonly #verification: LedgerVerification
  readonly #reader: SqliteReader
  readonly #options: ThreadOptions & { path: string; ledger: LedgerRow }
  #threads: StretchThreads | undefined
  #keys: Promise<KeySumState | undefined> | undefined
  #integrity: Promise<string[] | undefined> | undefined

  constructor(
    verification: LedgerVerification,
    reader: SqliteReader,
    options: ThreadOptions & { path: string; ledger: LedgerRow },
  ) {
    this.#verification = verification
    this.#reader = reader
    this.#options = options
  }

  async toTheEnd(): Promise<void> {
    const verification = this.#verification
    let whole = false
    await this.#try(async () => {
      if (!verification.begin()) return
      this.#startThreads()
      await this.#checkStretches()
      whole = true
    })
    await this.#try(async () => {
      verification.addIntegrityProblems((await this.#integrity) ?? this.#reader.integrityProblems())
    })
    await this.#try(async () => {
      if (whole) verification.end(await this.#keys)
    })
  }

  /** A file that cannot be read here may still be read elsewhere. */
  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#options.signal?.aborted === true) throw error
      this.#verification.addDamage(error)
    }
  }

  async close(): Promise<void> {
    await this.#threads?.close()
  }

  #startThreads(): void {
    const { size, done, secret } = this.#verification
    const stretches = (size - done) / stretchLength
    const usual = stretches > worthIt ? Math.min(availableParallelism(), maxThreads) : 0
    const count = this.#options.threads ?? usual
    if (count === 0) return
    const { path, ledger } = this.#options
    this.#threads = new StretchThreads({ path, ledger, secret }, count)
    // The longest first, so that no thread is left alone with one of them at the end.
    this.#integrity = this.#threads.integrity()
    this.#keys = this.#threads.keys(size)
  }

  async #checkStretches(): Promise<void> {
    const verification = this.#verification
    const { signal, save } = this.#options
    /** Under way in the threads, in order: each is a few megabytes when it is done. */
    const ahead: Promise<StretchResult | undefined>[] = []
    let asked = verification.done
    for (;;) {
      for (let stretch = verification.nextStretch(asked); stretch !== undefined; ) {
        // The last stretch may be growing in the table, so it is read in the snapshot.
        if (this.#threads === undefined || stretch.end === verification.size) break
        if (ahead.length === 2 * this.#threads.count) break
        ahead.push(this.#threads.stretch(stretch))
        asked = stretch.end
        stretch = verification.nextStretch(asked)
      }
      const stretch = verification.nextStretch(verification.done)
      if (stretch === undefined) return
      const [theirs] = await Promise.all([ahead.shift(), nextTurn()])
      signal?.throwIfAborted()
      const result = theirs === undefined || theirs.found > 0 ? verification.checkHere(stretch) : theirs
      const goesOn = verification.take(result)
      asked = Math.max(asked, verification.done)
      // From the first finding on nothing is written down, so findings are always of the run that reports them.
      const canGoOn = verification.isSound && verification.done % stretchLength === 0
      if (canGoOn) save?.(() => verification.state(new Date()))
      if (!goesOn) return
    }
  }
}

/** Signals of the system are only seen between turns. */
function nextTurn(): Promise<void> {
  return new Promise(done => setImmediate(done))
}
