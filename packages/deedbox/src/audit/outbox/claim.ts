import { mkdirSync } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { giveBackDeadLetters } from './dead-files.ts'
import { isOurs, livenessOf } from './spool-owner.ts'
import { adoptedFolder, damagedFolder, deadFolder } from './spool-place.ts'

/** A spool whose process is gone, by the name of its producer, and where it lies now. */
export interface ClaimedSpool {
  readonly producerId: string
  readonly path: string
}

/** The names of the spools in the folder of a ledger; none where there is no such folder. */
export async function producersIn(ledger: string): Promise<string[]> {
  const names = await namesIn(ledger)
  return names.filter(
    name => /^[0-9a-zA-Z-]{8,64}$/.test(name) && name !== deadFolder && name !== damagedFolder,
  )
}

/**
 * The spools in the folder of a ledger whose processes are gone.
 * @param isSilent decides about a spool whose process cannot be seen from here
 */
export async function orphansIn(ledger: string, isSilent: (folder: string) => boolean): Promise<string[]> {
  const names = (await producersIn(ledger)).filter(name => !isOurs(name))
  return names.filter(name => {
    const folder = join(ledger, name)
    const liveness = livenessOf(folder, name)
    return liveness === 'dead' || (liveness === 'unknown' && isSilent(folder))
  })
}

/**
 * Takes a spool whose process is gone, and those that it had taken, into a folder of the caller's. Of rivals one has it:
 * a folder can be renamed once.
 */
export async function claim(ledger: string, name: string, into: string): Promise<ClaimedSpool[]> {
  const adopted = join(into, adoptedFolder)
  mkdirSync(adopted, { recursive: true, mode: 0o700 })
  const path = join(adopted, name)
  if (!(await moved(join(ledger, name), path))) return []
  giveBackDeadLetters(path, ledger)
  return [{ producerId: name, path }, ...(await unpack(path, adopted))]
}

/** Takes out the spools that a spool's process had taken, and that one's, as far as it did not come to do it itself. */
async function unpack(spool: string, adopted: string): Promise<ClaimedSpool[]> {
  const claimed: ClaimedSpool[] = []
  for (const inner of await namesIn(join(spool, adoptedFolder))) {
    const path = join(adopted, inner)
    if (!(await moved(join(spool, adoptedFolder, inner), path))) continue
    claimed.push({ producerId: inner, path }, ...(await unpack(path, adopted)))
  }
  return claimed
}

/** Milliseconds after which nobody makes a folder any more: that takes a moment. */
const longUnfinished = 3_600_000

/** Removes what processes left behind that died while they made their folders: nothing is in it. */
export async function removeUnfinished(ledger: string): Promise<void> {
  for (const name of await namesIn(ledger)) {
    if (!name.endsWith('.new')) continue
    const path = join(ledger, name)
    try {
      if (Date.now() - (await stat(path)).mtimeMs > longUnfinished) await rm(path, { recursive: true })
    } catch {
      // It is gone, or it stays: it does no harm.
    }
  }
}

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch {
    return false
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch {
    return []
  }
}
