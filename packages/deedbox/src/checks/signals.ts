import { channel } from 'node:diagnostics_channel'
import type { CheckStatus } from './levels.ts'
import type { CheckOutcome, HealthReport } from './report.ts'

/** What listeners are told of a round of checks. (DF-30) */
export interface HeartbeatSignal {
  readonly service: string
  readonly level: number
  readonly status: CheckStatus
  readonly report: HealthReport
  readonly results: readonly CheckOutcome[]
}

/** The signals of an instance: a round of checks passed, or it came to a level that fails the heartbeat. (DF-30, DF-31) */
export interface HeartbeatSignals {
  heartbeatPassed: HeartbeatSignal
  heartbeatFailed: HeartbeatSignal
}

/** What `box.on` takes. */
export type HeartbeatListener = (signal: HeartbeatSignal) => unknown

const channels = {
  heartbeatPassed: channel('deedbox.heartbeat.passed'),
  heartbeatFailed: channel('deedbox.heartbeat.failed'),
}

/** The listeners of one instance. What they throw, or reject with, is told to `failed`. (DF-32) */
export class SignalListeners {
  readonly #listeners = {
    heartbeatPassed: new Set<HeartbeatListener>(),
    heartbeatFailed: new Set<HeartbeatListener>(),
  }
  readonly #failed: (error: unknown) => void

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /**
   * Returns how to undo it.
   * @throws TypeError for a signal that does not exist
   */
  on(name: keyof HeartbeatSignals, listener: HeartbeatListener): () => void {
    if (!Object.hasOwn(this.#listeners, name)) {
      throw new TypeError(
        `There is no signal "${String(name)}". There are: ${Object.keys(this.#listeners).join(', ')}.`,
      )
    }
    if (typeof listener !== 'function') throw new TypeError('on() takes a function as its second argument.')
    // One function that is registered twice is told twice, and taken away once.
    const own: HeartbeatListener = signal => listener(signal)
    this.#listeners[name].add(own)
    return () => void this.#listeners[name].delete(own)
  }

  emit(name: keyof HeartbeatSignals, signal: HeartbeatSignal): void {
    // What a subscriber of a channel throws Node itself raises as an uncaught exception, on the next tick: nothing here
    // can keep it from that.
    channels[name].publish(signal)
    // Of these, one may be added or taken away by another.
    for (const listener of [...this.#listeners[name]]) {
      try {
        const result = listener(signal)
        // Also what only looks like a promise.
        if (typeof result === 'object') Promise.resolve(result).catch(this.#failed)
      } catch (error) {
        this.#failed(error)
      }
    }
  }
}
