import {
  type AuditLeftover,
  Delivery,
  type DeliveryWords,
  durableStore,
  type SpoolChoice,
} from '../audit/index.ts'
import type { Notices } from '../log/index.ts'
import {
  type Failure,
  type JobRecord,
  type RequestRecord,
  runOutside,
  type ScopeRule,
  type TrackingGate,
  TurnQueue,
  uuid7,
  wallMicroseconds,
} from '../request/index.ts'
import { errorMessage, type Redactor, type Serializer } from '../safety/index.ts'
import { AwaitedWrites, type TrackedItem } from './awaited-writes.ts'
import type { Chest } from './chest.ts'
import { chestClient } from './chest-client.ts'
import { ChestError } from './chest-error.ts'
import { trackedPayload } from './tracked-payload.ts'
import type { TrackingRule } from './tracking-rule.ts'

/** What became of the tracked variables for one chest, counted in requests and jobs. */
export interface ChestStats {
  readonly id: string
  /** Waiting in memory or on their way. */
  readonly queued: number
  /** Waiting in the spool alone. */
  readonly spooled: number
  /** Taken by the chest. */
  readonly delivered: number
  /** Refused because there was no room, or left when the instance was closed. */
  readonly dropped: number
  /** Refused by the chest for good. */
  readonly rejected: number
  /** Writes that a response waited for, and that failed in time. Unless the chest refused them, they went into its queue. */
  readonly failed: number
}

/** What a tracker is made of. */
export interface TrackerSettings {
  readonly service: string
  readonly env: string
  /** The chests of the instance. */
  readonly chests: readonly Chest[]
  /** For requests and jobs without a rule of their own. */
  readonly rule: TrackingRule
  readonly redactor: Redactor
  /** Writes values whole, secrets blanked. */
  readonly serializer: Serializer
  readonly notices: Notices
  /** Where entries of durable chests survive. */
  readonly spool: SpoolChoice
}

/** A request or job, as far as its variables are concerned. */
export type TrackedFacts = Pick<RequestRecord, 'requestId' | 'values' | 'error'> &
  Partial<Pick<RequestRecord, 'route' | 'method' | 'status' | 'outcome'>>

interface Queue {
  readonly chest: Chest
  readonly delivery: Delivery
  readonly awaited: AwaitedWrites
  failed: number
}

const meta = { type: 'info', event_name: 'tracked', service: '' } as const
const longestId = 255

/** Has the tracked variables of one instance written to their chests, each chest by a queue of its own. (FC-09) */
export class Tracker implements TrackingGate {
  readonly #settings: TrackerSettings
  readonly #queues = new Map<Chest, Queue>()
  readonly #toWrite = new TurnQueue<() => void>(works => {
    for (const work of works) work()
  })
  #lastTimestamp = 0
  #isClosed = false

  constructor(settings: TrackerSettings) {
    this.#settings = settings
    for (const chest of settings.chests) this.#queueOf(chest)
  }

  /**
   * Takes the variables of a finished request, or job. Never throws.
   * @param rules those by which nothing was written yet; absent where it has none of its own
   */
  finished(record: RequestRecord | JobRecord, rules?: readonly ScopeRule[]): void {
    const facts: TrackedFacts = record
    for (const rule of (rules as readonly TrackingRule[] | undefined) ?? [this.#settings.rule]) {
      const chests = rule.chests ?? this.#settings.chests
      if (chests.length === 0) continue
      this.#toWrite.add(() => this.#offer(facts, rule, chests))
    }
  }

  async write(facts: RequestRecord | JobRecord, by: ScopeRule): Promise<Failure | undefined> {
    const rule = by as TrackingRule
    const item = this.#tried(() => this.#itemOf(facts, rule))
    if (item === undefined) return undefined
    const chests = rule.chests ?? this.#settings.chests
    const outcomes = await runOutside(() =>
      Promise.all(chests.map(chest => this.#writeNow(chest, item, rule.timeout))),
    )
    const thrown = outcomes.find(error => error !== undefined)
    return thrown === undefined || !rule.raises ? undefined : { thrown }
  }

  /** Resolves to `true` when nothing waits any more, to `false` if that takes longer than the given milliseconds. */
  async flush(timeout: number): Promise<boolean> {
    this.#toWrite.drain()
    const done = await Promise.all([...this.#queues.values()].map(({ delivery }) => delivery.flush(timeout)))
    return done.every(Boolean)
  }

  /** Writes out what only memory holds, before it returns. Returns how many would be lost if the process died now. */
  persist(): number {
    this.#toWrite.drain()
    let left = 0
    for (const { delivery } of this.#queues.values()) left += delivery.persist()
    return left
  }

  /** Takes nothing more, and closes the chests. What still waits stays in the spool, or is given up without one. */
  async close(): Promise<AuditLeftover> {
    this.#toWrite.drain()
    this.#isClosed = true
    let dropped = 0
    let spooled = 0
    for (const { delivery } of this.#queues.values()) {
      const left = delivery.close()
      dropped += left.dropped
      spooled += left.spooled
    }
    await Promise.allSettled([...this.#queues.keys()].map(async chest => chest.close()))
    return { dropped, spooled }
  }

  stats(): ChestStats[] {
    return [...this.#queues.values()].map(({ chest, delivery, failed }) => {
      const { queued, spooled, delivered, dropped, rejected } = delivery.stats()
      return { id: chest.id, queued, spooled, delivered, dropped, rejected, failed }
    })
  }

  #offer(facts: TrackedFacts, rule: TrackingRule, chests: readonly Chest[]): void {
    this.#tried(() => {
      const item = this.#itemOf(facts, rule)
      if (item === undefined) return
      for (const chest of chests) runOutside(() => this.#queueOf(chest).delivery.offer({ ...item, meta }))
    })
  }

  #tried<Result>(work: () => Result): Result | undefined {
    try {
      return work()
    } catch (error) {
      this.#settings.notices.warn('tracking_failed', `Variables could not be tracked: ${errorMessage(error)}`)
      return undefined
    }
  }

  /** Resolves to why a chest did not take it. What it may take later waits in its queue. */
  async #writeNow(chest: Chest, item: TrackedItem, timeout: number): Promise<unknown> {
    const queue = this.#queueOf(chest)
    try {
      await queue.awaited.write(item, timeout)
      return undefined
    } catch (error) {
      queue.failed++
      this.#settings.notices.tell(
        'WARNING',
        'chest_failed',
        `A response waited for its tracked variables to be written, which failed: ${errorMessage(error)}`,
        { chest: chest.id, failed: queue.failed, request_id: item.requestId },
        chest.id,
      )
      if (!(error instanceof ChestError && error.code === 'refused')) queue.delivery.offer({ ...item, meta })
      return error
    }
  }

  #itemOf(facts: TrackedFacts, rule: TrackingRule): TrackedItem | undefined {
    const { values, error, route = null, method = null, status = null, outcome } = facts
    const isFailure = error !== null || (outcome !== undefined && outcome !== 'completed')
    if (isFailure && !rule.includeFailures) return undefined
    const variables = chosen(values, rule.namesFor(method))
    if (variables.length === 0) return undefined
    const { service, env, redactor, serializer } = this.#settings
    this.#tellBlanked(variables, rule.namesFor(method))
    const message = error === null ? null : redactor.text(errorMessage(error.thrown))
    const recordFacts = { timestamp: this.#timestamp(), service, env, route, method, status, error: message }
    const payload = trackedPayload(recordFacts, variables, serializer)
    if (payload === undefined) return undefined
    return { payload, idempotencyKey: uuid7(), requestId: this.#idOf(facts, rule) }
  }

  /** Each is an instant of its own: databases of measurements know points by their time. */
  #timestamp(): number {
    this.#lastTimestamp = Math.max(wallMicroseconds(), this.#lastTimestamp + 1)
    return this.#lastTimestamp
  }

  #idOf({ requestId }: TrackedFacts, { generateId }: TrackingRule): string {
    if (generateId === undefined) return requestId
    try {
      const id = String(generateId()).slice(0, longestId).toWellFormed()
      if (id !== '') return id
    } catch (error) {
      this.#settings.notices.warn('tracked_id', `requestId of tracked() threw: ${errorMessage(error)}`)
    }
    return requestId
  }

  /** A variable that was named has to be expected to be there. */
  #tellBlanked(
    variables: readonly (readonly [string, unknown])[],
    names: readonly string[] | undefined,
  ): void {
    if (names === undefined) return
    const { redactor, notices } = this.#settings
    const blanked = variables.map(([name]) => name).filter(name => redactor.key(name).secret)
    if (blanked.length > 0)
      notices.warn(
        'tracked_blanked',
        'Tracked variables are blanked because their names are those of secrets. Where they are none, list them in redact.allow',
        { variables: blanked },
      )
  }

  #queueOf(chest: Chest): Queue {
    const known = this.#queues.get(chest)
    if (known !== undefined) return known
    const { service, spool, notices } = this.#settings
    const { id, address, queue: { durable, capacity, linger } = {} } = chest
    const warn = (
      code: string,
      message: string,
      fields?: Record<string, unknown>,
      level: 'INFO' | 'WARNING' = 'WARNING',
    ): void => notices.tell(level, code, message, { ...fields, chest: id }, id)
    const options = {
      ...(capacity === undefined ? {} : { capacity }),
      ...(linger === undefined ? {} : { linger }),
    }
    const store =
      durable === true && !this.#isClosed
        ? durableStore({
            service,
            producerId: uuid7(),
            highWater: () => 0,
            spool,
            taker: `chest ${id}${address === undefined ? '' : ` at ${address}`}`,
            capacity,
            onAdopted: () => {},
            warn,
          })
        : undefined
    const delivery = new Delivery(chestClient(chest), warn, options, store, wordsFor(id))
    const queue = { chest, delivery, awaited: new AwaitedWrites(chest), failed: 0 }
    this.#queues.set(chest, queue)
    if (this.#isClosed) delivery.close()
    return queue
  }
}

function wordsFor(id: string): DeliveryWords {
  return {
    code: 'chest',
    one: 'the tracked variables of a request',
    many: 'Tracked variables',
    taker: id,
    remedy: () => '"deedbox outbox list --dead" shows them',
  }
}

/** Own data that was set: nothing of ours, and no functions. (FC-04, FC-05) */
function chosen(
  values: Readonly<Record<string, unknown>>,
  names: readonly string[] | undefined,
): (readonly [string, unknown])[] {
  const pairs =
    names === undefined
      ? Object.entries(values).filter(([name]) => !name.startsWith('__'))
      : names.filter(name => Object.hasOwn(values, name)).map(name => [name, values[name]] as const)
  return pairs.filter(([, value]) => value !== undefined && !['function', 'symbol'].includes(typeof value))
}
