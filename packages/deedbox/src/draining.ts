/** Copies of this package are told together. (Ruling 3) */
const key: unique symbol = Symbol.for('deedbox.draining.1') as never

interface Shared {
  [key]?: { reason: string | undefined }
}

const shared = globalThis as Shared
shared[key] ??= { reason: undefined }
const state = shared[key]

/**
 * Says that this process is about to end: from now on it is not ready, and its heartbeat fails. SIGTERM and SIGINT do it
 * by themselves; to be called where a service learns otherwise that it shall end. (Gap 17, ruling 28)
 * @param reason stands in the heartbeat
 */
export function beginDraining(reason = 'the service is shutting down'): void {
  state.reason ??= reason
}

/** Takes it back, for a process that was told to end and decided to live on. */
export function endDraining(): void {
  state.reason = undefined
}

/** Why this process is about to end; `undefined` while it is not. */
export function drainingReason(): string | undefined {
  return state.reason
}
