import { setTimeout as wait } from 'node:timers/promises'

/** Milliseconds within which a further signal is the last one once more. */
const echo = 500

/** What a process is told by SIGTERM or SIGINT. */
export interface StopSignals {
  readonly first: Promise<void>
  readonly second: Promise<void>
  /** From now on a further signal ends the process at once, as it would without a handler. */
  letGo(): void
}

/** Hears the signals from now on. */
export function stopSignals(): StopSignals {
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  let toldAt: number | undefined
  let isLetGo = false
  const told = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    // One signal arrives twice: from the terminal or the supervisor of a whole group, and passed on by a parent.
    if (toldAt !== undefined && now - toldAt <= echo) return
    if (toldAt !== undefined) second.resolve()
    toldAt = now
    first.resolve()
    if (!isLetGo) return
    process.off('SIGTERM', told)
    process.off('SIGINT', told)
    process.kill(process.pid, signal)
  }
  process.on('SIGTERM', told)
  process.on('SIGINT', told)
  return {
    first: first.promise,
    second: second.promise,
    letGo() {
      isLetGo = true
    },
  }
}

/** Serves on, so that who sends requests here learns from readiness that it shall not. A second signal is impatience. */
export async function drained(delay: number, { second, letGo }: StopSignals): Promise<void> {
  const isOver = new AbortController()
  const late = wait(delay, undefined, { signal: isOver.signal }).catch(() => undefined)
  await Promise.race([late, second])
  isOver.abort()
  letGo()
}
