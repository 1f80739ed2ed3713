import { closeSync, linkSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'

/** Milliseconds after which a lock is left over whose holder cannot be asked. */
const forgotten = 60_000

const holder = `${process.pid}@${hostname()}`

/**
 * Takes a lock that one process at a time can hold; one that a dead process has left is taken over. Does not wait.
 * @returns how to give it back; `undefined` while another process has it
 * @throws what the file system throws, for instance that the disk is full
 */
export function takeLock(path: string): (() => void) | undefined {
  if (!create(path) && !(removeLeftOver(path) && create(path))) return undefined
  return () => rmSync(path, { force: true })
}

function create(path: string): boolean {
  let fd: number
  try {
    fd = openSync(path, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  try {
    writeSync(fd, holder)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
  return true
}

/** Whether the lock was left over and is gone. */
function removeLeftOver(path: string): boolean {
  const seen = read(path)
  if (seen === undefined) return true
  if (!isLeftOver(path, seen)) return false
  const aside = `${path}.${process.pid}`
  try {
    // Of those who saw the old lock one gets it, and may get another's new one instead.
    renameSync(path, aside)
    if (read(aside) !== seen) linkSync(aside, path)
    return read(aside) === seen
  } catch {
    return false
  } finally {
    rmSync(aside, { force: true })
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function isLeftOver(path: string, text: string): boolean {
  // In a container the process before us had our number, and our host's name.
  if (text === holder && isOlderThanUs(path)) return true
  const [pid, host] = text.split('@')
  if (host === hostname()) return !isAlive(Number(pid))
  // Not written yet, or written on another machine, or in another container, whose processes are not ours to see.
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined || Date.now() - stat.mtimeMs > forgotten
}

/** Whether a file was last written before this process began; a second apart, for clocks that are read apart. */
function isOlderThanUs(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && stat.mtimeMs < Date.now() - process.uptime() * 1000 - 1_000
}

/** Whether a process of this machine lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
