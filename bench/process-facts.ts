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

/** Resident memory of a process in MiB, now and at its highest; undefined where there is no /proc. */
export function residentMemory(pid: number): { now: number; highest: number } | undefined {
  const status = readFact(pid, 'status')
  const now = /^VmRSS:\s+(\d+) kB/m.exec(status ?? '')?.[1]
  const highest = /^VmHWM:\s+(\d+) kB/m.exec(status ?? '')?.[1]
  if (now === undefined || highest === undefined) return undefined
  return { now: Number(now) / 1024, highest: Number(highest) / 1024 }
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
