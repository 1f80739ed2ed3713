import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { uuid7 } from '../../request/index.ts'
import type { DeadLetter } from './dead-letters.ts'
import { deadFolder } from './spool-place.ts'

/** A line of a file of dead letters; `letter` is missing where the line cannot be read. */
export interface DeadLine {
  readonly text: string
  readonly letter: DeadLetter | undefined
}

/** The dead letters of a ledger's folder, oldest first, each once. */
export function deadLettersIn(ledger: string): DeadLetter[] {
  const letters = new Map<string, DeadLetter>()
  for (const name of deadNames(ledger)) {
    for (const { letter } of readLines(join(ledger, deadFolder, name))) {
      if (letter !== undefined) letters.set(letter.idempotency_key, letter)
    }
  }
  return [...letters.values()].sort((a, b) => (a.time < b.time ? -1 : 1))
}

/** How many bytes of dead letters a ledger's folder has. They are not read. */
export async function deadBytesIn(ledger: string): Promise<number> {
  const folder = join(ledger, deadFolder)
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(
    names.filter(isDeadName).map(name =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

function isDeadName(name: string): boolean {
  return name.endsWith('.jsonl')
}

/**
 * Goes through the dead letters of a ledger and leaves those that are to stay. The files are taken away first, so that a
 * living process begins new ones and nothing that it adds meanwhile is lost.
 * @param into a folder of the caller's, which is given back if the caller dies
 * @param keep what becomes of the lines: resolves to those that stay
 */
export async function sift(
  ledger: string,
  into: string,
  keep: (lines: readonly DeadLine[]) => Promise<readonly DeadLine[]>,
): Promise<void> {
  const taken = join(into, deadFolder)
  mkdirSync(taken, { recursive: true, mode: 0o700 })
  for (const name of deadNames(ledger)) {
    const path = join(taken, name)
    if (!moved(join(ledger, deadFolder, name), path)) continue
    const lines = readLines(path)
    let stay: readonly DeadLine[] = lines
    try {
      stay = await keep(lines)
    } finally {
      // Somebody may have had the file open when it was taken.
      const late = readLines(path).slice(lines.length)
      putBack(ledger, into, [...stay, ...late])
      rmSync(path, { force: true })
    }
  }
}

/** Adds letters to those of a ledger. */
export function addDeadLetters(ledger: string, into: string, letters: readonly DeadLetter[]): void {
  mkdirSync(join(ledger, deadFolder), { recursive: true, mode: 0o700 })
  putBack(
    ledger,
    into,
    letters.map(letter => ({ text: JSON.stringify(letter), letter })),
  )
}

/** Gives back the dead letters that a process had taken and died with. */
export function giveBackDeadLetters(from: string, ledger: string): void {
  for (const name of deadNames(from)) {
    mkdirSync(join(ledger, deadFolder), { recursive: true, mode: 0o700 })
    moved(join(from, deadFolder, name), join(ledger, deadFolder, `${uuid7()}.jsonl`))
  }
}

/** The file appears complete. */
function putBack(ledger: string, into: string, lines: readonly DeadLine[]): void {
  if (lines.length === 0) return
  const unfinished = join(into, 'unfinished')
  writeFileSync(unfinished, lines.map(({ text }) => `${text}\n`).join(''), { mode: 0o600 })
  renameSync(unfinished, join(ledger, deadFolder, `${uuid7()}.jsonl`))
}

function deadNames(folder: string): string[] {
  try {
    return readdirSync(join(folder, deadFolder)).filter(isDeadName).sort()
  } catch {
    return []
  }
}

function readLines(path: string): DeadLine[] {
  const texts = readFileSync(path, 'utf8').split('\n')
  return texts.filter(text => text !== '').map(text => ({ text, letter: readLetter(text) }))
}

function readLetter(text: string): DeadLetter | undefined {
  try {
    const value = JSON.parse(text) as Partial<DeadLetter> | null
    const { idempotency_key: key, payload, meta, time } = value ?? {}
    const isLetter =
      [key, payload, time].every(member => typeof member === 'string') && typeof meta === 'object'
    return isLetter ? (value as DeadLetter) : undefined
  } catch {
    return undefined
  }
}

function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch {
    return false
  }
}
