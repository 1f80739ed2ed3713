import { type AuditOutlet, retryDelay } from '../audit/index.ts'
import type { Notices } from '../log/index.ts'
import { errorMessage } from '../safety/index.ts'
import type { OutboxStore, Outcome } from './event-row.ts'
import { isInTransaction } from './outbox-error.ts'
import { type Sending, Sendings } from './sendings.ts'

/** How a relay works. Times in milliseconds. */
export interface RelaySettings {
  readonly interval: number
  readonly batch: number
  readonly createTable: boolean
  readonly keepAlive: boolean
}

/** How long rows are held for the ledger's answer before the transaction that holds them ends. */
const longestHold = 5_000

/** The first look after a write, which cannot know when its transaction is committed; the next ones take longer. */
const soon = 50

/** How long a database may take to end a transaction when the relay is stopped. */
const longestCommit = 1_000

/** What Node's timers hold. */
const longestTimer = 2_147_483_647

const backoff = { base: 500, cap: 30_000 }

/** How many rows may be on their way or rest before the others are taken one by one. */
const manyLeft = 1_000

/** How long a transaction may stay open on the relay's own connection before that is told. */
const longTransaction = 5_000

/** What became of one look at the table, in rows. */
interface Turn {
  readonly taken: readonly Sending[]
  /** The ledger has them, or refused them. */
  readonly answered: number
  readonly waiting: number
  /** Whether the ledger answered nothing, and not only to rows that got no answer before. */
  readonly stalled: boolean
}

/** Brings the rows of an outbox to the ledger. */
export class Relay {
  readonly counts = { relayed: 0, refused: 0, failed: 0, blocked: 0 }
  readonly #store: Pick<OutboxStore<unknown, unknown>, 'take' | 'createTable'>
  readonly #outlet: AuditOutlet
  readonly #notices: Notices
  readonly #settings: RelaySettings
  readonly #sendings: Sendings
  #running = false
  #hasTable: boolean
  /** Looks in a row that had no answer of the ledger, or of the database. */
  #failures = 0
  /** Since when each look found a transaction open. */
  #blockedSince: number | undefined
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
    this.#sendings = new Sendings(outlet, {
      // The turn that sent it may be over: the row is taken once more, for what is known now.
      answered: () => this.#schedule(0),
      closed: () => {
        this.#running = false
      },
    })
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
    const left = new Set<string>()
    // One turn without an answer may be the fault of its rows; two are the ledger's.
    for (let unanswered = 0; unanswered < 2; ) {
      const { taken, answered } = await this.#alone(() => this.#turn(true, this.#settings.batch, [...left]))
      if (taken.length === 0) break
      for (const { id, outcome } of taken)
        if (outcome === undefined || outcome.kind === 'waiting') left.add(id)
      unanswered = answered > 0 ? 0 : unanswered + 1
    }
    return this.counts.relayed - before
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
      const { taken, answered, waiting, stalled } = await this.#alone(async () => {
        await this.#needTable()
        return this.#probe()
      })
      this.#blockedSince = undefined
      if (stalled) this.#failed(`${waiting} of ${taken.length} rows have no answer from the ledger yet`)
      else {
        // Where rows were left, an empty look tells nothing of the ledger.
        if (answered > 0 && this.#failures > 0) this.#sendings.wake()
        if (answered > 0 || this.#sendings.size === 0) this.#failures = 0
        if (waiting > 0) this.#tell(`${waiting} rows have no answer from the ledger yet; others go on`)
        if (taken.length > 0) this.#schedule(0)
        else if (this.#failures > 0) this.#schedule(this.#delay())
        else this.#schedulePace()
      }
    } catch (error) {
      if (isInTransaction(error)) this.#blocked()
      else this.#failed(errorMessage(error))
    }
  }

  /**
   * While the ledger gives no answers, one row at a time asks for the others, and each time another one: it may be the
   * row's own fault. Once any is answered, the older ones come again, one by one and in order; whose own fault it was,
   * rests, each row by itself.
   */
  async #probe(): Promise<Turn> {
    const { keepAlive, batch } = this.#settings
    if (this.#failures > 0) {
      const turn = await this.#turn(keepAlive, 1, this.#sendings.left('tried'))
      if (turn.taken.length > 0) return turn
    }
    const isSingle = this.#failures > 0 || this.#sendings.hasRested || this.#sendings.size >= manyLeft
    return this.#turn(keepAlive, isSingle ? 1 : batch, this.#sendings.left('resting'))
  }

  #schedulePace(): void {
    this.#schedule(this.#pace)
    this.#pace = Math.min(this.#settings.interval, 2 * this.#pace)
  }

  #delay(): number {
    return retryDelay(this.#failures, backoff, Math.random(), undefined)
  }

  /** Somebody's transaction is open on the connection: most are over soon. */
  #blocked(): void {
    const now = performance.now()
    this.#blockedSince ??= now
    this.#schedulePace()
    if (now - this.#blockedSince >= longTransaction)
      this.#notices.warn(
        'outbox_in_transaction',
        'Events wait in the transactional outbox: each look finds a transaction open on its connection. ' +
          'Is a COMMIT or ROLLBACK missing?',
        { blocked: this.counts.blocked },
      )
  }

  async #needTable(): Promise<void> {
    if (this.#hasTable) return
    await this.#store.createTable()
    this.#hasTable = true
  }

  #failed(problem: string): void {
    this.#failures++
    this.#schedule(this.#delay())
    this.#tell(problem)
  }

  #tell(problem: string): void {
    if (!this.#running) return
    this.#notices.warn('outbox_delayed', `Events wait in the transactional outbox: ${problem}`, {
      failures: this.#failures,
    })
  }

  async #turn(keepAlive: boolean, limit: number, left: readonly string[]): Promise<Turn> {
    // While the quota's pause lasts nothing is taken, and nothing is sent that would only be refused.
    if (this.#outlet.stats().pausedUntil !== null)
      return { taken: [], answered: 0, waiting: 0, stalled: false }
    let taken: readonly Sending[] = []
    let outcomes: readonly Outcome[] = []
    let isNews = this.#failures > 0
    try {
      await this.#store.take(limit, left, async rows => {
        taken = rows.map(row => this.#sendings.send(row))
        isNews ||= taken.some(({ failures }) => failures === 0)
        await this.#hold(Promise.all(taken.map(({ done }) => done)), keepAlive)
        outcomes = taken.map(({ outcome }) => outcome ?? { kind: 'waiting', problem: 'no answer yet' })
        return outcomes
      })
    } catch (error) {
      if (isInTransaction(error)) this.counts.blocked++
      else this.counts.failed++
      throw error
    }
    const count = (kind: Outcome['kind']): number => outcomes.filter(outcome => outcome.kind === kind).length
    const [relayed, refused, waiting] = [count('acknowledged'), count('refused'), count('waiting')]
    this.counts.relayed += relayed
    this.counts.refused += refused
    if (waiting > 0) this.counts.failed++
    if (refused > 0)
      this.#notices.warn(
        'outbox_refused',
        'The ledger refused events of the transactional outbox; they are kept in its table, with the reason',
        { refused: this.counts.refused },
      )
    const done = taken.filter((_, i) => outcomes[i]?.kind !== 'waiting')
    this.#sendings.forget(taken, done, left, taken.length < limit)
    const answered = relayed + refused
    return { taken, answered, waiting, stalled: waiting > 0 && answered === 0 && isNews }
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
