import { type AuditOutlet, retryDelay, SendError } from '../audit/index.ts'
import { errorMessage } from '../safety/index.ts'
import { eventOf, type Outcome, SpoiltRow, type WaitingRow } from './event-row.ts'

/** How long the delivery engine keeps trying an event; the row outlives it. Milliseconds. */
const longestSend = 60_000

/** How long a row rests that got no final answer. */
const rest = { base: 500, cap: 30_000 }

/** Answers about the key or the address: they say nothing about the event, which waits until they are mended. */
const aboutTheWriter: ReadonlySet<number | undefined> = new Set([401, 403, 404])

/** An event on its way. It may outlast the turn that sent it; a later turn that holds its row learns the outcome. */
export interface Sending {
  readonly id: string
  /** `undefined` while it is on its way. */
  readonly outcome: Outcome | undefined
  readonly done: Promise<void>
  /** How often it ended without a final answer. */
  readonly failures: number
}

interface Known {
  readonly id: string
  outcome: Outcome | undefined
  done: Promise<void>
  failures: number
  /** Until when the row rests, on the clock of `performance.now()`. */
  until: number
}

/** What a relay is told of its sendings. */
export interface SendingsListener {
  /** A row has its final answer. */
  answered(): void
  /** The instance takes no events any more. */
  closed(): void
}

/** Which rows to leave in the table: those on their way and `resting` ones, or all that have been `tried` without an answer. */
export type Leaving = 'resting' | 'tried'

/** The events of rows that are on their way, and of those that rest because they got no final answer. */
export class Sendings {
  readonly #outlet: AuditOutlet
  readonly #listener: SendingsListener
  readonly #known = new Map<string, Known>()

  constructor(outlet: AuditOutlet, listener: SendingsListener) {
    this.#outlet = outlet
    this.#listener = listener
  }

  get size(): number {
    return this.#known.size
  }

  /** The ids of rows that are not to be taken now. What has its final answer always is. */
  left(leaving: Leaving): string[] {
    const now = performance.now()
    const isLeft = (sending: Known): boolean =>
      sending.outcome === undefined || (isWaiting(sending) && (leaving === 'tried' || now < sending.until))
    return [...this.#known.values()].filter(isLeft).map(({ id }) => id)
  }

  /** Whether a row has rested long enough. */
  get hasRested(): boolean {
    const now = performance.now()
    return [...this.#known.values()].some(sending => isWaiting(sending) && sending.until <= now)
  }

  /** The ledger answers again: none of the rows need be at fault. */
  wake(): void {
    for (const sending of this.#known.values()) sending.until = 0
  }

  /** Sends the event of a row, unless it is on its way or has its final answer. */
  send(row: WaitingRow): Sending {
    const key = `${row.id} ${row.idempotency_key}`
    const before = this.#known.get(key)
    if (before !== undefined && before.outcome?.kind !== 'waiting') return before
    const sending: Known = before ?? {
      id: String(row.id),
      outcome: undefined,
      done: Promise.resolve(),
      failures: 0,
      until: 0,
    }
    sending.outcome = undefined
    sending.done = this.#deliver(row).then(outcome => {
      if (outcome.kind === 'waiting') {
        sending.failures++
        sending.until = performance.now() + retryDelay(sending.failures, rest, Math.random(), undefined)
      }
      sending.outcome = outcome
      if (outcome.kind !== 'waiting') this.#listener.answered()
    })
    this.#known.set(key, sending)
    return sending
  }

  /**
   * Forgets what is done with, once a turn is committed.
   * @param taken the rows that it took
   * @param done those of them whose outcome it has committed
   * @param left the ids of rows that it did not ask for
   * @param sawAll whether it saw all other rows: what is not among them was another relay's
   */
  forget(
    taken: readonly Sending[],
    done: readonly Sending[],
    left: readonly string[],
    sawAll: boolean,
  ): void {
    const kept = new Set(left)
    for (const [key, sending] of this.#known) {
      if (sending.outcome === undefined) continue
      const isGone = sawAll && !kept.has(sending.id) && !taken.includes(sending)
      if (isGone || done.includes(sending)) this.#known.delete(key)
    }
  }

  async #deliver(row: WaitingRow): Promise<Outcome> {
    try {
      await this.#outlet.send(eventOf(row), longestSend)
      return { kind: 'acknowledged' }
    } catch (error) {
      if (error instanceof SendError && error.code === 'closed') this.#listener.closed()
      const problem = errorMessage(error).replaceAll('\0', ' ').slice(0, 1_000)
      const final =
        error instanceof SpoiltRow ||
        (error instanceof SendError && error.code === 'rejected' && !aboutTheWriter.has(error.ledgerStatus))
      return final ? { kind: 'refused', reason: problem } : { kind: 'waiting', problem }
    }
  }
}

function isWaiting({ outcome }: Sending): boolean {
  return outcome?.kind === 'waiting'
}
