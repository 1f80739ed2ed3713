/**
 * Why a chest did not take entries.
 * - `unavailable`: it may take the same entries later.
 * - `refused`: it will never take them.
 * - `driver_missing`: the package of its database is not installed.
 */
export type ChestErrorCode = 'unavailable' | 'refused' | 'driver_missing'

const mark = Symbol.for('deedbox.chestError.1')

/** What a chest fails with. Its message names the chest; `cause` is what the driver said. (FC-18, FC-20) */
export class ChestError extends Error {
  override readonly name = 'ChestError'
  readonly code: ChestErrorCode
  /** The id of the chest. */
  readonly chest: string
  /** Milliseconds after which the place wants to be asked again, where it said so. */
  readonly retryAfter: number | undefined
  /** The ids of the records that were taken all the same. */
  readonly taken: ReadonlySet<string>
  /** The ids of the records that are known to be refused. They are not written again; what is in neither set is. */
  readonly refused: ReadonlySet<string>

  /** Bundlers may load this package twice; what a chest of either copy fails with is understood. (Ruling 3) */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && mark in value
  }

  constructor(
    code: ChestErrorCode,
    chest: string,
    problem: string,
    options: {
      readonly cause?: unknown
      readonly retryAfter?: number | undefined
      readonly taken?: ReadonlySet<string>
      readonly refused?: ReadonlySet<string>
    } = {},
  ) {
    super(`${chest}: ${problem}`, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.chest = chest
    this.retryAfter = options.retryAfter
    this.taken = options.taken ?? new Set()
    this.refused = options.refused ?? new Set()
    Object.defineProperty(this, mark, { value: true })
  }
}
