import { setTimeout as wait } from 'node:timers/promises'
import type { AuditEvent, AuditLeftover, SpoolChoice } from '../audit/index.ts'
import type { Notices } from '../log/index.ts'
import {
  type Failure,
  type JobRecord,
  type RequestRecord,
  type RuleInUse,
  runOutside,
  type TrackingGate,
  TurnQueue,
  uuid7,
} from '../request/index.ts'
import { errorMessage, type Redactor, remember, type Serializer } from '../safety/index.ts'
import type { Chest } from './chest.ts'
import { ChestQueue, type ChestStats } from './chest-queue.ts'
import { holdChest, letGoOfChest } from './open-chests.ts'
import { trackedPayload } from './tracked-payload.ts'
import type { TrackingRule } from './tracking-rule.ts'

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
export type TrackedFacts = Pick<RequestRecord, 'requestId' | 'values' | 'error' | 'startedAt' | 'elapsed'> &
  Partial<Pick<RequestRecord, 'route' | 'method' | 'status' | 'outcome'> & Pick<JobRecord, 'job'>>

/** The variables of a request that are to be written by a rule. */
interface Finished {
  readonly facts: TrackedFacts
  readonly rule: TrackingRule
  readonly chests: readonly Chest[]
  /** Absent for the rule of the instance. */
  readonly inUse: RuleInUse | undefined
}

const meta = { type: 'info', event_name: 'tracked', service: '' } as const
const longestId = 255
/** Milliseconds that a chest has for closing, though all the time that was given is used up. */
const leastForClosing = 500
/** How many routes are remembered as they are written. */
const rememberedRoutes = 1_000

/** Has the tracked variables of one instance written to their chests, each chest by a queue of its own. (FC-09) */
export class Tracker implements TrackingGate {
  readonly #settings: TrackerSettings
  readonly #queues = new Map<Chest, ChestQueue>()
  readonly #toWrite = new TurnQueue<Finished>(finished => {
    runOutside(() => {
      for (const each of finished) this.#offer(each)
    })
  })
  readonly #routeText: (route: string) => string
  #lastTimestamp = 0
  #isClosed = false

  constructor(settings: TrackerSettings) {
    this.#settings = settings
    this.#routeText = remember(settings.redactor.text, rememberedRoutes)
    for (const chest of settings.chests) this.#queueOf(chest)
  }

  /**
   * Takes the variables of a finished request, or job. Never throws.
   * @param rules absent where it has none of its own
   */
  finished(record: RequestRecord | JobRecord, rules?: readonly RuleInUse[]): void {
    if (isEmpty(record.values)) return
    if (rules === undefined) this.#put(record, this.#settings.rule)
    else for (const inUse of rules) this.#put(record, inUse.rule as TrackingRule, inUse)
  }

  async write(facts: RequestRecord | JobRecord, inUse: RuleInUse): Promise<Failure | undefined> {
    const rule = inUse.rule as TrackingRule
    const event = this.#tried(() => this.#eventOf(facts, rule, inUse))
    if (event === undefined) return undefined
    const chests = rule.chests ?? this.#settings.chests
    const outcomes = await runOutside(() =>
      Promise.all(chests.map(chest => this.#queueOf(chest).write(event, rule.timeout))),
    )
    const thrown = outcomes.find(error => error !== undefined)
    return thrown === undefined || !rule.raises ? undefined : { thrown }
  }

  /** Resolves to `true` when nothing waits any more, to `false` if that takes longer than the given milliseconds. */
  async flush(timeout: number): Promise<boolean> {
    this.#toWrite.drain()
    const done = await Promise.all([...this.#queues.values()].map(queue => queue.flush(timeout)))
    return done.every(Boolean)
  }

  /** Writes out what only memory holds, before it returns. Returns what would become of what waits if the process died now. */
  persist(): AuditLeftover {
    this.#toWrite.drain()
    return sum([...this.#queues.values()].map(queue => queue.persist()))
  }

  /**
   * Takes nothing more, and closes the chests that no other instance writes to. What still waits stays in the spool, or is
   * given up without one.
   * @param timeout milliseconds after which a chest that does not close is left to itself
   */
  async close(timeout: number): Promise<AuditLeftover> {
    if (this.#isClosed) return { dropped: 0, spooled: 0 }
    this.#toWrite.drain()
    this.#isClosed = true
    const queues = [...this.#queues.values()]
    const left = sum(queues.map(queue => queue.close()))
    const isOver = new AbortController()
    const end = wait(Math.max(leastForClosing, timeout), 'it takes too long', {
      signal: isOver.signal,
    }).catch(() => '')
    await Promise.all(
      queues.map(async ({ chest }) => {
        const closed = letGoOfChest(chest).then(() => '', errorMessage)
        const problem = await Promise.race([closed, end])
        if (problem === '') return
        const message = this.#settings.redactor.text(`${chest.id} could not be closed: ${problem}`)
        this.#settings.notices.tell('WARNING', 'chest_not_closed', message, { chest: chest.id }, chest.id)
      }),
    )
    isOver.abort()
    return left
  }

  /** The queues of all chests that were written to, or are the instance's. */
  get queues(): ChestQueue[] {
    return [...this.#queues.values()]
  }

  stats(): ChestStats[] {
    return [...this.#queues.values()].map(queue => queue.stats())
  }

  #put(facts: TrackedFacts, rule: TrackingRule, inUse?: RuleInUse): void {
    const chests = rule.chests ?? this.#settings.chests
    if (chests.length > 0) this.#toWrite.add({ facts, rule, chests, inUse })
  }

  #offer({ facts, rule, chests, inUse }: Finished): void {
    this.#tried(() => {
      const event = this.#eventOf(facts, rule, inUse)
      // Its scope may live for long, with whatever the service has started.
      inUse?.written.clear()
      if (event !== undefined) for (const chest of chests) this.#queueOf(chest).offer(event)
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

  /** A record of its own, also where it is the second of its request: chests know records by their id, and store each once. */
  #eventOf(facts: TrackedFacts, rule: TrackingRule, inUse?: RuleInUse): AuditEvent | undefined {
    const { values, error, method = null, status = null, outcome } = facts
    const route = facts.route ?? facts.job ?? null
    const isFailure = error !== null || (outcome !== undefined && outcome !== 'completed')
    if (isFailure && !rule.includeFailures) return undefined
    const variables = chosen(values, rule.namesFor(method))
    if (variables.length === 0) return undefined
    const { service, env, redactor, serializer } = this.#settings
    this.#tellBlanked(variables)
    const message = error === null ? null : redactor.text(errorMessage(error.thrown))
    const recordFacts = {
      timestamp: this.#timestamp(facts),
      service,
      env,
      route: route === null ? null : this.#routeText(route),
      method,
      status,
      error: message,
    }
    const payload = trackedPayload(recordFacts, variables, serializer, inUse?.written)
    if (payload === undefined) return undefined
    const requestId = inUse?.requestId ?? this.#idOf(facts, rule)
    if (inUse !== undefined) inUse.requestId = requestId
    return { payload, meta, idempotencyKey: uuid7(), requestId }
  }

  /** Each is an instant of its own: databases of measurements know points by their time. */
  #timestamp({ startedAt, elapsed }: TrackedFacts): number {
    this.#lastTimestamp = Math.max(startedAt + Math.round(elapsed * 1e6), this.#lastTimestamp + 1)
    return this.#lastTimestamp
  }

  #idOf({ requestId }: TrackedFacts, { generateId }: TrackingRule): string {
    const { redactor, notices } = this.#settings
    let id = requestId
    try {
      const made = generateId?.()
      // Nobody waits for it, so nobody else would handle its rejection, which ends processes.
      if (typeof Object(made).then === 'function') {
        Promise.resolve(made).catch(() => undefined)
        notices.warn('tracked_id', 'requestId of tracked() gave a promise. It has to make the id at once.')
      } else if (made !== undefined && String(made) !== '') id = String(made)
    } catch (error) {
      notices.warn('tracked_id', `requestId of tracked() threw: ${errorMessage(error)}`)
    }
    return redactor.text(id).slice(0, longestId).toWellFormed()
  }

  #tellBlanked(variables: readonly (readonly [string, unknown])[]): void {
    const { redactor, notices } = this.#settings
    const blanked = variables.map(([name]) => name).filter(name => redactor.key(name).secret)
    if (blanked.length > 0)
      notices.warn(
        'tracked_blanked',
        'Tracked variables are blanked because their names are those of secrets. Where they are none, list them in redact.allow',
        { variables: blanked },
      )
  }

  #queueOf(chest: Chest): ChestQueue {
    const known = this.#queues.get(chest)
    if (known !== undefined) return known
    const queue = new ChestQueue(chest, this.#settings, this.#isClosed)
    this.#queues.set(chest, queue)
    if (!this.#isClosed) holdChest(chest)
    return queue
  }
}

function isEmpty(values: Readonly<Record<string, unknown>>): boolean {
  for (const name in values) if (Object.hasOwn(values, name)) return false
  return true
}

function sum(leftovers: readonly AuditLeftover[]): AuditLeftover {
  return leftovers.reduce(
    (all, { dropped, spooled }) => ({ dropped: all.dropped + dropped, spooled: all.spooled + spooled }),
    { dropped: 0, spooled: 0 },
  )
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
