import { closeSync, constants, openSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const reopeners = new Set<() => void>()

/**
 * Has a file reopened at SIGHUP, as programs that rotate logs ask for; but a signal that has a handler ends its process
 * no more, and a terminal that closes must end its processes. So in a process that has a terminal SIGHUP stays what it
 * is, and in one without (a service, a container) it reopens the files, unless the service has a handler of its own.
 * Returns how to undo it.
 */
export function onHangup(reopen: () => void): () => void {
  if (!isMainThread || process.platform === 'win32' || hasTerminal()) return () => {}
  if (reopeners.size === 0) process.on('SIGHUP', hangUp)
  reopeners.add(reopen)
  return () => {
    reopeners.delete(reopen)
    if (reopeners.size === 0) process.off('SIGHUP', hangUp)
  }
}

function hangUp(): void {
  if (process.listenerCount('SIGHUP') > 1) return
  for (const reopen of reopeners) reopen()
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDONLY | constants.O_NOCTTY))
    return true
  } catch {
    return false
  }
}
