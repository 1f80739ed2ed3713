import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Attack } from './attack.ts'
import { control } from './content-attacks.ts'
import { detect, type Outcome, type VerifyFolder } from './detectors.ts'
import { buildLaboratory, type Laboratory } from './laboratory.ts'

/** One attack that was performed, and what everybody said about it. */
export interface Result {
  attack: Attack
  outcomes: Outcome[]
  /** Whether each means said exactly what it had to say. */
  asExpected: boolean
}

/** What there was to attack, and how it went. */
export interface Experiment {
  lab: Laboratory
  /** The untouched ledger: detectors that find something in it find nothing in any other. */
  control: Result
  results: Result[]
}

/** Whether every means said what it had to say, of the untouched ledger and of each attack. */
export function isAllAsExpected({ control, results }: Experiment): boolean {
  return control.asExpected && results.every(({ asExpected }) => asExpected)
}

/**
 * Makes a ledger in an empty folder and performs each attack on a copy of its own, which stays there.
 *
 * @param signal ends the experiment between two attacks
 * @throws LedgerError when the folder cannot hold a ledger; the signal's reason
 */
export async function runExperiment(options: {
  folder: string
  attacks: readonly Attack[]
  verify: VerifyFolder
  signal?: AbortSignal
  onProgress?: (done: number, total: number) => void
}): Promise<Experiment> {
  const { folder, attacks, verify, signal, onProgress } = options
  const lab = await buildLaboratory(folder)
  const perform = async (attack: Attack): Promise<Result> => {
    const exhibit = await attack.perform(lab.copy(attack.name), lab)
    if (exhibit.what === 'receipt') {
      writeFileSync(join(folder, attack.name, 'receipt.tlog-proof'), exhibit.text)
    }
    const outcomes = await detect(lab, attack, exhibit, verify)
    return { attack, outcomes, asExpected: isAsExpected(attack, outcomes) }
  }
  const untouched = await perform(control)
  const results: Result[] = []
  for (const attack of attacks) {
    onProgress?.(results.length, attacks.length)
    // Signals of the system arrive between two turns only.
    await setImmediate()
    signal?.throwIfAborted()
    results.push(await perform(attack))
  }
  return { lab, control: untouched, results }
}

function isAsExpected(attack: Attack, outcomes: Outcome[]): boolean {
  const asked = Object.keys(attack.expected).every(means => outcomes.some(o => o.means === means))
  return asked && outcomes.every(({ said, expected }) => said === expected)
}
