import { type AuditOutlet, retryDelay, SendError } from '../audit/index.ts'
import type { Notices } from '../log/index.ts'
import { errorMessage } from '../safety/index.ts'
import { eventOf, type OutboxStore, type Outcome, type WaitingRow } from './event-row.ts'

/** How a relay works. Times in milliseconds. */
export interface RelaySettings {
  readonly interval: number
  readonly batch: number
  readonly createTable: boolean
  readonly keepAlive: boolean
}

/** How long rows are held for the ledger's answer before the transaction that holds them ends. */
const longestHold = 5_000

/** How long the delivery engine keeps trying an event; the row outlives it. */
const longestSend = 60_000

/** The first look after a write, which cannot know when its transaction is committed; the next ones take longer. */
const soon = 50

/** How long a database may take to end a transaction when the relay is stopped. */
const longestCommit = 1_000

/** What Node's timers hold. */
const longestTimer = 2_147_483_647

const backoff = { base: 500, cap: 30_000 }

/** Answers about the key or the address: they say nothing about the event, which waits until they are mended. */
const aboutTheWriter: ReadonlySet<number | undefined> = new Set([401, 403, 404])

/** What became of one look at the table. */
interface Turn {
  readonly taken: number
  readonly waiting: number
}

/** An event on its way. It may outlast the turn that sent it; the next turn that holds its row learns the outcome. */
interface Sending {
  outcome: Outcome | undefined
  readonly done: Promise<void>
}

/** Brings the rows of an outbox to the ledger. */
export class Relay {
  readonly counts = { relayed: 0, refused: 0, failed: 0 }
  readonly #store: Pick<OutboxStore<unknown, unknown>, 'take' | 'createTable'>
  readonly #outlet: AuditOutlet
  readonly #notices: Notices
  readonly #settings: RelaySettings
  readonly #sending = new Map<string, Sending>()
  #running = false
  #hasTable: boolean
  #failures = 0
  #pace: number
  #timer: NodeJS.Timeout | undefined
  #looking = false
  /** When the next look is due, on the clock of `performance.now()`. */
  #due = Number.POSITIVE_INFINITY
  #last: Promise<unknown> = Promise.resolve()
  /** Ends the hold of the turn under way. */
  #letGo: (() => void) | undefined

  constructor(
    store: Pick<OutboxStore<unknown, unknown>, 'take' | 'createTable'>,
    outlet: AuditOutlet,
    notices: Notices,
    settings: RelaySettings,
  ) {
    this.#store = store
    this.#outlet = outlet
    this.#notices = notices
    this.#settings = settings
    this.#hasTable = !settings.createTable
    this.#pace = settings.interval
  }

  get isRunning(): boolean {
    return this.#running
  }

  async start(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      await this.#alone(() => this.#needTable())
      this.#schedule(0)
    } catch (error) {
      this.#failed(errorMessage(error))
    }
  }

  async runOnce(): Promise<number> {
    const before = this.counts.relayed
    for (;;) {
      const { taken, waiting } = await this.#alone(() => this.#turn(true))
      if (taken === 0 || waiting > 0) return this.counts.relayed - before
    }
  }

  readonly stop = async (timeout: number = longestHold): Promise<void> => {
    this.#running = false
    this.#due = Number.POSITIVE_INFINITY
    clearTimeout(this.#timer)
    const { promise: tooLong, resolve } = Promise.withResolvers<void>()
    const timers = [
      setTimeout(() => this.#letGo?.(), Math.min(timeout, longestTimer)),
      setTimeout(resolve, Math.min(timeout + longestCommit, longestTimer)),
    ]
    await Promise.race([this.#last, tooLong])
    for (const timer of timers) clearTimeout(timer)
  }

  /** A row was written, and may be committed any moment. */
  expect(): void {
    this.#pace = Math.min(soon, this.#settings.interval)
    if (this.#failures === 0) this.#schedule(this.#pace)
  }

  /** One turn at a time. */
  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  /** Has the table looked at after this time at the latest. */
  #schedule(delay: number): void {
    if (!this.#running) return
    const due = performance.now() + delay
    if (this.#due <= due) return
    this.#due = due
    // The look under way schedules the next one when it ends.
    if (this.#looking) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), delay)
    if (!this.#settings.keepAlive) this.#timer.unref()
  }

  async #look(): Promise<void> {
    this.#looking = true
    this.#due = Number.POSITIVE_INFINITY
    await this.#lookOnce()
    this.#looking = false
    const delay = Math.max(0, this.#due - performance.now())
    this.#due = Number.POSITIVE_INFINITY
    this.#schedule(delay)
  }

  async #lookOnce(): Promise<void> {
    try {
      const { taken, waiting } = await this.#alone(async () => {
        await this.#needTable()
        return this.#turn(this.#settings.keepAlive)
      })
      if (waiting > 0) this.#failed(`${waiting} of ${taken} rows have no answer from the ledger yet`)
      else {
        this.#failures = 0
        if (taken > 0) this.#schedule(0)
        else {
          this.#schedule(this.#pace)
          this.#pace = Math.min(this.#settings.interval, 2 * this.#pace)
        }
      }
    } catch (error) {
      this.#failed(errorMessage(error))
    }
  }

  async #needTable(): Promise<void> {
    if (this.#hasTable) return
    await this.#store.createTable()
    this.#hasTable = true
  }

  #failed(problem: string): void {
    this.#failures++
    this.#schedule(retryDelay(this.#failures, backoff, Math.random(), undefined))
    if (!this.#running) return
    this.#notices.warn('outbox_delayed', `Events wait in the transactional outbox: ${problem}`, {
      failures: this.#failures,
    })
  }

  async #turn(keepAlive: boolean): Promise<Turn> {
    // While the quota's pause lasts nothing is taken, and nothing is sent that would only be refused.
    if (this.#outlet.stats().pausedUntil !== null) return { taken: 0, waiting: 0 }
    // While the ledger gives no answers, one row at a time asks for the others.
    const limit = this.#failures > 0 ? 1 : this.#settings.batch
    let sendings: readonly Sending[] = []
    let outcomes: readonly Outcome[] = []
    try {
      await this.#store.take(limit, async rows => {
        sendings = rows.map(row => this.#send(row))
        await this.#hold(Promise.all(sendings.map(({ done }) => done)), keepAlive)
        outcomes = sendings.map(({ outcome }) => outcome ?? { kind: 'waiting', problem: 'no answer yet' })
        return outcomes
      })
    } catch (error) {
      this.counts.failed++
      throw error
    }
    const count = (kind: Outcome['kind']): number => outcomes.filter(outcome => outcome.kind === kind).length
    const waiting = count('waiting')
    this.counts.relayed += count('acknowledged')
    this.counts.refused += count('refused')
    if (waiting > 0) this.counts.failed++
    if (count('refused') > 0)
      this.#notices.warn(
        'outbox_refused',
        'The ledger refused events of the transactional outbox; they are kept in its table, with the reason',
        { refused: this.counts.refused },
      )
    const sawAll = sendings.length < limit
    for (const [key, sending] of this.#sending) {
      // A row that is not there any more was another relay's.
      if (sending.outcome !== undefined && (sawAll || sendings.includes(sending))) this.#sending.delete(key)
    }
    return { taken: outcomes.length, waiting }
  }

  #send(row: WaitingRow): Sending {
    const key = `${row.id} ${row.idempotency_key}`
    const known = this.#sending.get(key)
    if (known !== undefined) return known
    const sending: Sending = {
      outcome: undefined,
      done: this.#deliver(row).then(outcome => {
        sending.outcome = outcome
        // The turn that sent it may be over: the row is taken once more, for what is known now.
        if (outcome.kind !== 'waiting' && this.#letGo === undefined) this.#schedule(0)
      }),
    }
    this.#sending.set(key, sending)
    return sending
  }

  async #deliver(row: WaitingRow): Promise<Outcome> {
    try {
      const event = eventOf(row)
      await this.#outlet.send(event, longestSend)
      return { kind: 'acknowledged' }
    } catch (error) {
      if (error instanceof SendError && error.code === 'closed') this.#running = false
      const problem = errorMessage(error).replaceAll('\0', ' ').slice(0, 1_000)
      const final =
        error instanceof SyntaxError ||
        (error instanceof SendError && error.code === 'rejected' && !aboutTheWriter.has(error.ledgerStatus))
      return final ? { kind: 'refused', reason: problem } : { kind: 'waiting', problem }
    }
  }

  /** Waits for the answers, but not for ever: the rows are locked, and a transaction is open. */
  #hold(answers: Promise<unknown>, keepAlive: boolean): Promise<void> {
    return new Promise(resolve => {
      const letGo = (): void => {
        clearTimeout(timer)
        this.#letGo = undefined
        resolve()
      }
      const timer = setTimeout(letGo, longestHold)
      if (!keepAlive) timer.unref()
      this.#letGo = letGo
      answers.then(letGo)
    })
  }
}
