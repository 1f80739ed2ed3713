import { errorMessage } from '../safety/index.ts'
import { type Check, messagesOf } from './check.ts'
import { CheckMessage } from './check-message.ts'
import type { CheckOutcome } from './report.ts'

/** How checks are run. Times are milliseconds. */
export interface RoundSettings {
  /** For each check that has no time of its own. */
  readonly timeout: number
  /** For all of them together. */
  readonly deadline: number
  /** Told the name of each check that is called. Must not throw. */
  readonly called?: (name: string) => void
  /** Blanks secrets in the texts of messages: a heartbeat is read by others than the log is. */
  readonly redact?: (text: string) => string
}

/** When checks were called that have not come back, by {@link performance.now}. */
export type RunningChecks = WeakMap<Check, number>

/** A check of a round that was begun. */
export interface BegunCheck {
  /** Whether the service is not ready while it fails. */
  readonly readiness: boolean
  /** Never rejects, and comes no later than the deadline. */
  readonly outcome: Promise<CheckOutcome>
}

/**
 * Begins all checks at once. What has not come back by the deadline is an ERROR of that check alone. A check whose last
 * call still hangs is not called again. (DF-13, DF-23)
 */
export function beginRound(
  checks: readonly Check[],
  settings: RoundSettings,
  running: RunningChecks,
): BegunCheck[] {
  return checks.map(each => ({
    readiness: each.readiness ?? true,
    outcome: runCheck(each, settings, running),
  }))
}

/** What checks that were begun come to. Never rejects. */
export function outcomesOf(begun: readonly BegunCheck[]): Promise<CheckOutcome[]> {
  return Promise.all(begun.map(({ outcome }) => outcome))
}

async function runCheck(
  one: Check,
  { timeout, deadline, called, redact }: RoundSettings,
  running: RunningChecks,
): Promise<CheckOutcome> {
  const start = performance.now()
  const end = (messages: readonly CheckMessage[], thrown?: { readonly error: unknown }): CheckOutcome => ({
    name: one.name,
    messages: redact === undefined ? messages : messages.map(each => redacted(each, redact)),
    elapsed: performance.now() - start,
    readiness: one.readiness ?? true,
    ...(thrown === undefined ? {} : { thrown: thrown.error }),
  })
  const since = running.get(one)
  if (since !== undefined) return end([stillHanging(start - since)])
  const time = Math.min(one.timeout ?? timeout, deadline)
  const over = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const isLate = new Promise<'late'>(resolve => {
    timer = setTimeout(() => {
      over.abort(new Error(`The check was given ${time} ms`))
      // A check that hears it may yet say what it has been waiting for.
      setImmediate(resolve, 'late')
    }, time)
  })
  running.set(one, start)
  called?.(one.name)
  const call = (async () => one.run(over.signal))().finally(() => running.delete(one))
  try {
    const result = await Promise.race([call, isLate])
    const messages = result === 'late' ? [] : messagesOf(result)
    const isTold = !over.signal.aborted || messages.some(message => message.isSerious())
    return end(isTold ? messages : [tooLate(time), ...messages])
  } catch (error) {
    return over.signal.aborted ? end([tooLate(time)]) : end([failed(one.name, error)], { error })
  } finally {
    clearTimeout(timer)
  }
}

/** The same message, unless it tells a secret. */
function redacted(message: CheckMessage, redact: (text: string) => string): CheckMessage {
  const { level, hint, object, id } = message
  const text = redact(message.message)
  const advice = hint === undefined ? undefined : redact(hint)
  if (text === message.message && advice === hint) return message
  return new CheckMessage(text, level, { hint: advice, object, id })
}

function tooLate(time: number): CheckMessage {
  return new CheckMessage(`The check has not answered within ${time} ms.`, 'error', {
    id: 'deedbox.health.E102',
  })
}

function stillHanging(milliseconds: number): CheckMessage {
  return new CheckMessage(
    `The check has not answered for ${(milliseconds / 1_000).toFixed(1)} s, and is not called again before it has.`,
    'error',
    { id: 'deedbox.health.E103' },
  )
}

function failed(name: string, error: unknown): CheckMessage {
  return new CheckMessage(`The check ${name} failed: ${errorMessage(error)}`, 'error', {
    id: 'deedbox.health.E104',
  })
}
