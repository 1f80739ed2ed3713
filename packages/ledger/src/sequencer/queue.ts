import { LedgerError } from '../errors.ts'
import { isRefused, type Refused } from './admin-change.ts'
import type { Sequenced, Submission, Writer } from './submission.ts'

/** One transaction takes at most this many submissions; it keeps the time that others wait for the lock short. */
const maxBatch = 2_048

/** The newest checkpoint becomes public this long after the last append, in milliseconds. */
const idlePublish = 1_000

interface Waiting<Item, Result> {
  submissions: Item[]
  resolve: (results: Result[]) => void
  reject: (error: unknown) => void
}

/**
 * The one queue of a ledger in this process. While one transaction is under way the next gathers, so batches grow
 * with the load by themselves and a lone event waits for nobody: the disk's own pace is the flush interval.
 */
export class Queue<Item = Submission, Result = Sequenced> {
  readonly #writer: Writer<Item, Result>
  #waiting: Waiting<Item, Result>[] = []
  #busy = false
  #scheduled = false
  #closed = false
  readonly #drained: (() => void)[] = []
  #publishTimer: NodeJS.Timeout | undefined
  /** Submissions accepted and not answered yet. */
  depth = 0
  /** Why the last transaction failed, until one succeeds again. */
  failure: LedgerError | undefined

  constructor(writer: Writer<Item, Result>) {
    this.#writer = writer
  }

  /**
   * Resolves once all of them are durable; they are committed in one transaction and in this order.
   *
   * @throws LedgerError why the transaction failed, or why an administrative change, submitted alone, was refused
   */
  submit(submissions: Item[]): Promise<Result[]> {
    if (submissions.length === 0) return Promise.resolve([])
    if (this.#closed) {
      return Promise.reject(
        new LedgerError('ledger_stopped', 'The ledger was closed. Open it again to append.'),
      )
    }
    this.depth += submissions.length
    return new Promise((resolve, reject) => {
      this.#waiting.push({ submissions, resolve, reject })
      this.#schedule()
    })
  }

  /** Takes nothing more, waits until all that was taken is answered, and publishes what is not public yet. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.depth > 0) await new Promise<void>(resolve => this.#drained.push(resolve))
    if (this.#publishTimer === undefined) return
    clearTimeout(this.#publishTimer)
    // What cannot be published now is published by the next opening; closing must not fail for it.
    await this.#writer.publish().catch(() => undefined)
  }

  /** Starts after the events of this turn of the loop have been taken in, so that they share a commit. */
  #schedule(): void {
    if (this.#busy || this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#run()
    })
  }

  async #run(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup()
      const all = group.length === 1 ? group[0]!.submissions : group.flatMap(waiting => waiting.submissions)
      try {
        const results = await this.#writer.append(all)
        let from = 0
        for (const waiting of group) {
          settle(waiting, results.slice(from, from + waiting.submissions.length))
          from += waiting.submissions.length
        }
        this.failure = undefined
        this.#publishSoon()
      } catch (error) {
        if (error instanceof LedgerError) this.failure = error
        for (const waiting of group) waiting.reject(error)
      }
      this.depth -= all.length
    }
    this.#busy = false
    for (const tell of this.#drained.splice(0)) tell()
  }

  #takeGroup(): Waiting<Item, Result>[] {
    let count = 0
    let groups = 0
    for (const waiting of this.#waiting) {
      if (groups > 0 && count + waiting.submissions.length > maxBatch) break
      count += waiting.submissions.length
      groups++
    }
    return this.#waiting.splice(0, groups)
  }

  #publishSoon(): void {
    if (this.#publishTimer !== undefined) return
    this.#publishTimer = setTimeout(() => {
      this.#publishTimer = undefined
      // A failure here fails the next append too, and that one has somebody to tell.
      this.#writer.publish().catch(() => undefined)
    }, idlePublish)
    this.#publishTimer.unref()
  }
}

function settle<Item, Result>(
  { resolve, reject }: Waiting<Item, Result>,
  results: (Result | Refused)[],
): void {
  const stored: Result[] = []
  for (const result of results) {
    if (isRefused(result)) {
      reject(new LedgerError(result.refused, result.message))
      return
    }
    stored.push(result)
  }
  resolve(stored)
}
