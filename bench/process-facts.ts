import { readFileSync } from 'node:fs'

/** Clock ticks a second in /proc: USER_HZ, which is 100 on every architecture that Node runs on. */
const ticks = 100

/**
 * CPU seconds, user and system, that these processes and their living descendants have used so far; undefined where
 * there is no /proc. Steps of 10 ms.
 */
export function cpuSeconds(roots: readonly number[]): number | undefined {
  let total = 0
  for (const pid of withDescendants(roots)) {
    const stat = readFact(pid, 'stat')
    if (stat === undefined) return undefined
    // The second member is the program's name, which may hold anything; it ends with the last parenthesis.
    const members = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    total += Number(members[11]) + Number(members[12])
  }
  return total / ticks
}

/**
 * Resident memory in MiB of a process and its living descendants, now and at its highest (each one's highest, added
 * up); undefined where there is no /proc.
 */
export function residentMemory(pid: number): { now: number; highest: number } | undefined {
  const sum = { now: 0, highest: 0 }
  for (const each of withDescendants([pid])) {
    const status = readFact(each, 'status')
    const now = /^VmRSS:\s+(\d+) kB/m.exec(status ?? '')?.[1]
    const highest = /^VmHWM:\s+(\d+) kB/m.exec(status ?? '')?.[1]
    if (now === undefined || highest === undefined) return undefined
    sum.now += Number(now) / 1024
    sum.highest += Number(highest) / 1024
  }
  return sum
}

function withDescendants(roots: readonly number[]): number[] {
  const all: number[] = [...roots]
  for (const pid of all) {
    const children = readFact(pid, `task/${pid}/children`) ?? ''
    all.push(...children.split(' ').filter(Boolean).map(Number))
  }
  return all
}

function readFact(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return undefined
  }
}
