import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import { isRefused, type Refused } from './admin-change.ts'
import type { CommitListener } from './commit.ts'
import type { Sequenced, Submission, Writer } from './submission.ts'

/** One transaction takes at most this many submissions; it keeps the time that others wait for the lock short. */
const maxBatch = 1_024

/** The newest checkpoint becomes public this long after the last append, in milliseconds. */
const idlePublish = 1_000

/** What goes into one transaction. */
interface Group<Item, Result> {
  callers: Caller<Item, Result>[]
  submissions: Item[][]
  count: number
}

/** A caller whose submissions wait or are under way. */
interface Caller<Item, Result> {
  submissions: Item[]
  count: number
  resolve: (results: Result[]) => void
  reject: (error: unknown) => void
}

/**
 * The one queue of a ledger in this process. While one transaction is under way the next gathers, so batches grow
 * with the load by themselves and a lone event waits for nobody: the disk's own pace is the flush interval.
 */
export class Queue<Item = Submission, Result = Sequenced> {
  readonly #writer: Writer<Item, Result>
  readonly #committed: CommitListener
  readonly #waiting: Caller<Item, Result>[] = []
  #waitingCount = 0
  /** Transactions handed over and not answered yet. */
  #underWay = 0
  #scheduled = false
  #closed = false
  readonly #drained: (() => void)[] = []
  #publishTimer: NodeJS.Timeout | undefined
  /** Submissions accepted and not answered yet. */
  depth = 0
  /** Why the last transaction failed, until one succeeds again. That others wrote meanwhile is no failure. */
  failure: LedgerError | undefined

  /** @param committed told of each transaction; must not throw */
  constructor(writer: Writer<Item, Result>, committed: CommitListener = () => undefined) {
    this.#writer = writer
    this.#committed = committed
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
      this.#waiting.push({ submissions: [...submissions], count: submissions.length, resolve, reject })
      this.#waitingCount += submissions.length
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
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#run()
    })
  }

  /** Hands over what waits: one transaction at a time, but a full one already while another is under way. */
  #run(): void {
    while (
      this.#underWay === 0 ? this.#waitingCount > 0 : this.#underWay === 1 && this.#waitingCount >= maxBatch
    ) {
      void this.#append(this.#takeGroup())
    }
    if (this.depth === 0) for (const tell of this.#drained.splice(0)) tell()
  }

  async #append(group: Group<Item, Result>): Promise<void> {
    const { callers, count } = group
    this.#underWay++
    const start = performance.now()
    const tell = (results: (Result | Refused)[], failure?: LedgerErrorCode): void =>
      this.#committed({
        ledger: this.#writer.ledger.name,
        submitted: count,
        appended: results.filter(isAppended).length,
        repeated: results.filter(isRepeat).length,
        seconds: (performance.now() - start) / 1_000,
        failure,
      })
    try {
      const results = await this.#writer.append(handedOver(group))
      tell(results)
      let from = 0
      for (const caller of callers) {
        settle(caller, results.slice(from, from + caller.count))
        from += caller.count
      }
      this.failure = undefined
      this.#publishSoon()
    } catch (error) {
      tell([], error instanceof LedgerError ? error.code : 'internal_error')
      if (error instanceof LedgerError && error.code !== 'overloaded') this.failure = error
      for (const { reject } of callers) reject(error)
    }
    this.depth -= count
    this.#underWay--
    this.#run()
  }

  #takeGroup(): Group<Item, Result> {
    const group: Group<Item, Result> = { callers: [], submissions: [], count: 0 }
    for (const caller of this.#waiting) {
      if (group.count > 0 && group.count + caller.count > maxBatch) break
      group.callers.push(caller)
      group.submissions.push(caller.submissions.splice(0))
      group.count += caller.count
    }
    this.#waiting.splice(0, group.callers.length)
    this.#waitingCount -= group.count
    return group
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

/** The submissions, which are not held here any longer: a large batch would be copied by each collection. */
function handedOver<Item>(group: Pick<Group<Item, never>, 'submissions'>): Item[] {
  const [first = [], ...more] = group.submissions.splice(0)
  return more.length === 0 ? first : first.concat(...more)
}

/** Whether it is a new entry of the tree: no repeat of an earlier one, and nothing that was refused. */
function isAppended(result: unknown): boolean {
  return !isRefused(result) && !isRepeat(result)
}

/** Whether it stands for an entry that was stored before under the same key. */
function isRepeat(result: unknown): boolean {
  return typeof result === 'object' && result !== null && Reflect.get(result, 'duplicate') === true
}

function settle<Item, Result>(
  { resolve, reject }: Caller<Item, Result>,
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
