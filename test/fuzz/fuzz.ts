import { inspect } from 'node:util'
import { runInThisContext } from 'node:vm'
import { Random } from './random.ts'

/**
 * How the fuzz tests spend their time. Without settings each test makes its own number of runs from one fixed seed,
 * so `npm test` is the same every time. `DEEDBOX_FUZZ_RUNS=20` makes twenty times as many, from a seed that is new each
 * time; `DEEDBOX_FUZZ_SEED=…` repeats one. A failure prints both.
 */
const times = wholeNumber('DEEDBOX_FUZZ_RUNS')

/** The seed of this process. */
export const seed: number =
  wholeNumber('DEEDBOX_FUZZ_SEED') ?? (times === undefined ? 1 : Math.floor(Math.random() * 2 ** 32))

/** The runs that a test makes: its own number, or as many times that as DEEDBOX_FUZZ_RUNS says. */
function runsOf(usual: number): number {
  return usual * Math.max(1, times ?? 1)
}

/**
 * Fails when no run came where the test wants to look: a fuzz test that never gets past the first check tests
 * nothing else.
 */
export function requireReached(counts: Record<string, number>): void {
  for (const [where, count] of Object.entries(counts)) {
    if (count === 0) throw new Error(`No run came to "${where}": ${JSON.stringify(counts)}.`)
  }
}

/** The settings of fast-check that go with this process's seed. */
export function fastCheckRuns(usual: number): { numRuns: number; seed: number } {
  return { numRuns: runsOf(usual), seed: seed | 0 }
}

/** A run that has not ended after so many milliseconds hangs. No run comes near it, however busy the machine. */
const hang = 60_000

/** Runs that share one watchdog; starting one for each would cost more than the run. */
const chunk = 500

/**
 * Makes the runs of one test. `run` may say by `note(value)` what it is about to try.
 * @throws Error whatever the first failing run threw, with the seed, the run and the last note; or that it hangs
 */
export function fuzz(
  name: string,
  usual: number,
  run: (random: Random, note: (value: unknown) => void) => void,
): void {
  const random = new Random(seed, name)
  const runs = runsOf(usual)
  let done = 0
  let last: unknown
  const note = (value: unknown) => {
    last = value
  }
  const nextChunk = () => {
    for (const end = Math.min(runs, done + chunk); done < end; done++) run(random, note)
  }
  try {
    while (done < runs) watched(nextChunk)
  } catch (error) {
    throw failure(name, done, runs, last, error)
  }
}

/** {@link fuzz} for runs that wait for something; who waits for ever is stopped by the test runner. */
export async function fuzzAsync(
  name: string,
  usual: number,
  run: (random: Random, note: (value: unknown) => void) => Promise<void>,
): Promise<void> {
  const random = new Random(seed, name)
  const runs = runsOf(usual)
  for (let done = 0; done < runs; done++) {
    let last: unknown
    try {
      await run(random, value => {
        last = value
      })
    } catch (error) {
      throw failure(name, done, runs, last, error)
    }
  }
}

/** Calls what may never come back, and ends it if it does not: the engine stops even a regular expression. */
function watched(call: () => void): void {
  const slot = '__deedboxFuzz'
  Reflect.set(globalThis, slot, call)
  try {
    runInThisContext(`${slot}()`, { timeout: hang })
  } finally {
    Reflect.deleteProperty(globalThis, slot)
  }
}

function failure(name: string, run: number, runs: number, last: unknown, cause: unknown): Error {
  const what = (cause as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? 'hangs' : 'fails'
  const again = `DEEDBOX_FUZZ_SEED=${seed} DEEDBOX_FUZZ_RUNS=${times ?? 1}`
  return new Error(
    `"${name}" ${what} in run ${run} of ${runs}. Again with ${again}.\n${shown(last)}\n${inspect(cause, { depth: 4 })}`,
    { cause },
  )
}

/** Bytes as a text that can be pasted into a regression test; other values as Node shows them. */
function shown(value: unknown): string {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    return `bytes ${JSON.stringify(bytes.subarray(0, 2_000).toString('latin1'))} of length ${bytes.length}`
  }
  return inspect(value, { depth: 6, maxStringLength: 4_000, maxArrayLength: 50 })
}

function wholeNumber(variable: string): number | undefined {
  const text = process.env[variable] ?? ''
  if (text === '') return undefined
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`${variable} is a whole number, not "${text}".`)
}
