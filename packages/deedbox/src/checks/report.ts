import type { CheckMessage } from './check-message.ts'
import { type CheckStatus, levelText } from './levels.ts'

/** What one check found. */
export interface CheckOutcome {
  readonly name: string
  readonly messages: readonly CheckMessage[]
  /** Milliseconds that it took. */
  readonly elapsed: number
  /** Whether the service is not ready while it fails. */
  readonly readiness: boolean
  /** What it threw or rejected with, if it did. */
  readonly thrown?: unknown
}

/** What the heartbeat says of a check that is not well. (DF-07) */
export interface CheckDetails {
  readonly status: CheckStatus
  readonly level: number
  /** The texts by their ids. */
  readonly messages: Readonly<Record<string, string>>
  /** How many messages are not counted because they are silenced; absent for none. (DF-21) */
  readonly silenced?: number
}

/** The results of a round of checks, as the heartbeat writes them. (DF-07) */
export interface HealthReport {
  readonly status: CheckStatus
  readonly level: number
  readonly checks: Readonly<Record<string, CheckStatus>>
  readonly details: Readonly<Record<string, CheckDetails>>
}

/** What a round of checks comes to, without the messages that are silenced by their ids. (DF-07, DF-20, DF-21) */
export function reportOf(outcomes: readonly CheckOutcome[], silenced: ReadonlySet<string>): HealthReport {
  let worst = 0
  const checks: Record<string, CheckStatus> = {}
  const details: Record<string, CheckDetails> = {}
  for (const { name, messages } of outcomes) {
    const heard = messages.filter(({ id }) => id === undefined || !silenced.has(id))
    const level = Math.max(0, ...heard.map(message => message.level))
    const quiet = messages.length - heard.length
    worst = Math.max(worst, level)
    set(checks, name, levelText(level))
    if (level > 0 || quiet > 0) {
      set(details, name, {
        status: levelText(level),
        level,
        messages: byId(heard),
        ...(quiet > 0 ? { silenced: quiet } : {}),
      })
    }
  }
  return { status: levelText(worst), level: worst, checks, details }
}

/** All of them: those without an id, and those whose id is taken, get one with a number. (DF-20) */
function byId(messages: readonly CheckMessage[]): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const { id = 'message', message } of messages) {
    let key = id
    for (let n = 2; Object.hasOwn(texts, key); n++) key = `${id}#${n}`
    set(texts, key, message)
  }
  return texts
}

/** As a member of its own, also for a name such as `__proto__`. */
function set<Value>(to: Record<string, Value>, name: string, value: Value): void {
  Object.defineProperty(to, name, { value, enumerable: true, configurable: true, writable: true })
}
