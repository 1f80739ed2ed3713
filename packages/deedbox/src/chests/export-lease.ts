import { uuid7 } from '../request/index.ts'
import type { Chest, ReadableChest } from '../tracking/index.ts'

/**
 * The right to empty a chest, kept alive while a run goes on. An exporter keeps its name from run to run: what it could not
 * give back after one is its own in the next. (FC-29)
 */
export class ExportLease {
  readonly #from: ReadableChest
  readonly #milliseconds: number
  readonly #holder = uuid7()
  #timer: NodeJS.Timeout | undefined

  constructor(from: ReadableChest, milliseconds: number) {
    this.#from = from
    this.#milliseconds = milliseconds
  }

  /** Resolves to whether this exporter has the right now; if so, it is renewed until {@link end}. */
  async take(): Promise<boolean> {
    if (!(await this.renew())) return false
    // A batch may take longer than the lease; of three renewals two may fail.
    this.#timer = setInterval(() => this.renew().catch(() => {}), this.#milliseconds / 3).unref()
    return true
  }

  /** Takes it for its whole time again. Resolves to whether this exporter still has it. */
  renew(): Promise<boolean> {
    return this.#from.lease(this.#holder, this.#milliseconds)
  }

  /**
   * Whether a target is the very place that this lease is of, however it is spelled: what is written there would be known
   * already, and then be deleted. It is only looked at: whoever empties the target in turn keeps its right to.
   */
  async isOf(to: Chest): Promise<boolean> {
    return isReadable(to) && to.holder !== undefined && (await to.holder()) === this.#holder
  }

  /** Gives it back. Where that fails its time runs out, unless the next run comes before. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#from.release(this.#holder).catch(() => {})
  }
}

const members = ['find', 'oldest', 'remove', 'count', 'lease', 'release'] as const

/** Whether a chest can be read, and an exporter can empty it. */
export function isReadable(chest: Chest): chest is ReadableChest {
  const candidate = chest as Partial<ReadableChest>
  return members.every(member => typeof candidate[member] === 'function')
}
