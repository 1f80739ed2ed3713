import { type Check, error, warning } from '../../checks/index.ts'
import { ConfigurationError } from '../../safety/index.ts'
import { type BuiltInOptions, builtIn } from './built-in.ts'

/** How late the event loop may be, in milliseconds. */
export interface EventLoopDelayOptions extends BuiltInOptions {
  /** A stall of more than this is a warning. Default 100. */
  readonly warning?: number | undefined
  /** A stall of more than this is an error. Default 1,000. */
  readonly error?: number | undefined
}

/** Milliseconds between two looks. */
const resolution = 20

/** Milliseconds without a round after which nothing is measured any more. */
const unasked = 300_000

/**
 * `check_event_loop_delay`: the longest that a timer was late since the last round, so that a single long stall is told, once.
 * It measures from its first round on, which has nothing to say, and stops when nobody asks for five minutes.
 * @throws ConfigurationError for options that cannot be
 */
export function eventLoopDelay(options: EventLoopDelayOptions = {}): Check {
  const low = milliseconds('warning', options.warning, 100)
  const most = milliseconds('error', options.error, 1_000)
  const measured = delays()
  const look = () => {
    const delay = measured.sinceLastAsked()
    const text = (than: number): string =>
      `The event loop was ${Math.round(delay)} ms late, more than ${than} ms.`
    if (delay > most) return [error(text(most), { id: 'deedbox.health.E221' })]
    return delay > low ? [warning(text(low), { id: 'deedbox.health.W221' })] : []
  }
  return builtIn('eventLoopDelay', 'check_event_loop_delay', options, look, ['warning', 'error'])
}

/**
 * Measures with a timer of its own. `monitorEventLoopDelay` leaves out the first interval after each reset, so that a loop
 * which comes to one turn between two rounds would be well in every other one.
 */
function delays(): { sinceLastAsked(): number } {
  let longest = 0
  let timer: NodeJS.Timeout | undefined
  let last = 0
  let asked = 0
  const record = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last - resolution)
    last = now
    if (now - asked < unasked) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    sinceLastAsked() {
      asked = performance.now()
      if (timer === undefined) {
        last = asked
        timer = setInterval(record, resolution).unref()
      } else record()
      const delay = longest
      longest = 0
      return delay
    },
  }
}

function milliseconds(name: string, given: number | undefined, usual: number): number {
  const value = given ?? usual
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value
  throw new ConfigurationError(`eventLoopDelay() ${name}`, 'a number of milliseconds above 0 is needed.')
}
