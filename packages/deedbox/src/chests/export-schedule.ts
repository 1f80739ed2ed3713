import { Cron } from 'croner'
import { runOutside } from '../request/index.ts'
import { ConfigurationError } from '../safety/index.ts'

/** When an exporter runs: every so many milliseconds, the first time at once; or at the times of a cron pattern. (FC-26) */
export interface ScheduleOptions {
  /** Milliseconds between the beginnings of two runs. Default 300,000: five minutes. */
  readonly intervalMs?: number | undefined
  /** Five fields, or six with seconds: minute, hour, day, month, weekday. Instead of `intervalMs`. */
  readonly cron?: string | undefined
  /** The IANA time zone of `cron`, `Europe/Berlin`. Default: the process's own. */
  readonly timeZone?: string | undefined
  /** Whether a started exporter keeps the process alive: for a process that does nothing else. Default `false`. */
  readonly keepAlive?: boolean | undefined
}

/** The longest time that a timer takes. */
export const longestTimer: number = 2 ** 31 - 1

/** Milliseconds until the next time; `undefined` if there is none. */
export type NextDelay = (isFirst: boolean) => number | undefined

/** Milliseconds by which a timer may be early, by the clock. */
const early = 1_000
/** The same, by the clock that timers go by. */
const earlyTick = 2

/**
 * Reads when to run.
 * @throws ConfigurationError
 */
export function nextDelay({ intervalMs = 300_000, cron, timeZone }: ScheduleOptions): NextDelay {
  if (cron === undefined) {
    if (timeZone !== undefined)
      throw new ConfigurationError('createExporter(): timeZone', 'only cron has one. Give cron as well.')
    return everySoOften(intervalMs)
  }
  const pattern = readCron(cron, timeZone)
  let due = 0
  return () => {
    const now = Date.now()
    const isEarly = due > now && due - now < early
    const next = pattern.nextRun(new Date(isEarly ? due : now))
    if (next === null) return undefined
    due = next.getTime()
    return due - now
  }
}

function everySoOften(interval: number): NextDelay {
  let first = 0
  return isFirst => {
    const now = performance.now()
    if (isFirst) {
      first = now
      return 0
    }
    // Times that a long run has passed over are not made up for.
    return first + Math.ceil((now - first + earlyTick) / interval) * interval - now
  }
}

function readCron(cron: string, timeZone: string | undefined): Cron {
  try {
    Intl.DateTimeFormat(undefined, { timeZone })
  } catch {
    throw new ConfigurationError('createExporter(): timeZone', 'this is no time zone such as Europe/Berlin.')
  }
  try {
    // A time in the pattern's place would be a run that never comes again.
    if (/^\S+( +\S+){4,5}$/.test(cron.trim()))
      return new Cron(cron.trim(), {
        paused: true,
        ...(timeZone === undefined ? {} : { timezone: timeZone }),
      })
  } catch {
    // It has the fields, but what is in them is not understood.
  }
  throw new ConfigurationError(
    'createExporter(): cron',
    'this is no cron pattern such as "*/5 * * * *": minute, hour, day of month, month, day of week.',
  )
}

/** What one start began, until it is stopped. */
interface Chain {
  timer: NodeJS.Timeout | undefined
}

/** Has work done when it is due, never twice at a time between a start and its stop. */
export class Schedule {
  readonly #next: NextDelay
  readonly #isKeepingAlive: boolean
  readonly #work: () => Promise<number | undefined>
  #chain: Chain | undefined

  /**
   * @param work never rejects. Resolves to the milliseconds after which it has to be done again, where that is before the
   * next time
   */
  constructor(next: NextDelay, isKeepingAlive: boolean, work: () => Promise<number | undefined>) {
    this.#next = next
    this.#isKeepingAlive = isKeepingAlive
    this.#work = work
  }

  get isRunning(): boolean {
    return this.#chain !== undefined
  }

  start(): void {
    if (this.#chain !== undefined) return
    const chain: Chain = { timer: undefined }
    this.#chain = chain
    runOutside(() => this.#plan(chain, true))
  }

  stop(): void {
    clearTimeout(this.#chain?.timer)
    this.#chain = undefined
  }

  #plan(chain: Chain, isFirst: boolean, again: number = Number.POSITIVE_INFINITY): void {
    // Work that was under way when it was stopped ends in a chain that nobody goes on with.
    if (this.#chain !== chain) return
    const next = this.#next(isFirst)
    if (next === undefined) return
    const delay = Math.min(next, again)
    const work = (): void => {
      // A far time is waited for in parts; the clock may be set meanwhile.
      if (delay > longestTimer) this.#plan(chain, false)
      else void this.#work().then(soon => this.#plan(chain, false, soon))
    }
    chain.timer = setTimeout(work, Math.min(delay, longestTimer))
    if (!this.#isKeepingAlive) chain.timer.unref()
  }
}
