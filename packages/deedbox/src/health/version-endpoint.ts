import { errorMessage, errorTrace } from '../safety/index.ts'
import { type HealthAnswer, jsonAnswer, textAnswer } from './answers.ts'
import type { HealthLog } from './health-log.ts'
import { inTime } from './in-time.ts'
import { type VersionAnswer, versionFile } from './version-file.ts'

/** Gives the version object for a folder, or nothing where there is none. (DF-04) */
export type VersionFunction = (root: string) => object | null | undefined | Promise<object | null | undefined>

/** Where `/__version__` has it from. */
export interface VersionPlace {
  readonly versionFolder: string
  /** In the place of the version that the file names. */
  readonly versionName: string | undefined
  /** In place of the file. */
  readonly version: VersionFunction | undefined
  /** Milliseconds that the function may take. */
  readonly timeout: number
}

/** Answers `/__version__`. Never throws or rejects; what is wrong, or missing, is logged once. (DF-02, DF-04) */
export function versionEndpoint(
  { version, versionFolder, versionName, timeout }: VersionPlace,
  log: HealthLog,
  warn: HealthLog,
): () => HealthAnswer | Promise<HealthAnswer> {
  let told: string | undefined
  const failed = (problem: string, said: string, fields?: Record<string, unknown>): HealthAnswer => {
    if (problem !== told) log(problem, fields)
    told = problem
    return jsonAnswer(500, JSON.stringify({ error: said }))
  }
  const answered = (answer: VersionAnswer): HealthAnswer => {
    if (answer.kind === 'broken') {
      const { problem, reason } = answer
      return failed(problem, problem, reason === undefined ? {} : { reason })
    }
    told = undefined
    return answer.kind === 'found' ? jsonAnswer(200, answer.text) : textAnswer(404, 'version.json not found')
  }
  if (version === undefined) {
    const file = versionFile(versionFolder, versionName)
    let isMissed = false
    return () => {
      const answer = file()
      if (answer.kind === 'missing' && !isMissed) {
        isMissed = true
        warn(
          `/__version__ was asked for, and there is no version.json in ${versionFolder}. ` +
            'Make it where the service is built: npx deedbox version-json --out version.json',
        )
      }
      return answered(answer)
    }
  }
  return async () => {
    try {
      return answered(versionOf(await inTime(version(versionFolder), timeout)))
    } catch (error) {
      // It is the service's own code: what it throws is for the log.
      const problem = `The version function failed: ${errorMessage(error)}`
      return failed(problem, 'The version function failed; the log says how.', { trace: errorTrace(error) })
    }
  }
}

/** @throws TypeError for what JSON cannot say */
function versionOf(given: unknown): VersionAnswer {
  if (given === null || given === undefined) return { kind: 'missing' }
  const text = JSON.stringify(given)
  if (text?.startsWith('{')) return { kind: 'found', text }
  return { kind: 'broken', problem: 'The version function gave something else than an object.' }
}
