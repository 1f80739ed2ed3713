import { randomInt } from 'node:crypto'
import { isOurs, type ToPrimary, type ToWorker } from './cluster-messages.ts'
import { leaveLines } from './left-lines.ts'

/** Characters that may be on their way to the primary; further lines are written here. */
const mostUnderWay = 16 * 1024 * 1024

/**
 * Sends the lines of a worker to the primary, once that has said that it writes the file; until then, and whenever it
 * does not, they are written here. Each line is written once.
 */
export class WorkerChannel {
  readonly #path: string
  readonly #write: (text: string) => void
  /** By chance, because a process may hold two copies of this package. */
  readonly #key = `${process.pid}-${randomInt(2 ** 40)}`
  readonly #parent = process.ppid
  /** What was sent, and is not known to be written. */
  readonly #underWay = new Map<number, string>()
  #underWaySize = 0
  #number = 0
  #isServed = false
  #drained: (() => void)[] = []

  /** @param write writes in this process; must not throw */
  constructor(path: string, write: (text: string) => void) {
    this.#path = path
    this.#write = write
    process.on('message', this.#hear)
    process.on('disconnect', this.#leave)
    process.on('exit', this.#leave)
    this.#say({ deedbox: 'log-file?', path }, () => {})
  }

  write(text: string): void {
    if (!this.#isServed || this.#underWaySize > mostUnderWay) {
      this.#write(text)
      return
    }
    const number = ++this.#number
    this.#underWay.set(number, text)
    this.#underWaySize += text.length
    this.#say({ deedbox: 'log-lines', path: this.#path, key: this.#key, number, text }, () => {
      if (this.#forget(number)) this.#write(text)
    })
  }

  /** Resolves when the primary has written all that it was sent. */
  async drain(): Promise<void> {
    if (this.#underWay.size > 0) await new Promise<void>(resolve => this.#drained.push(resolve))
  }

  close(): void {
    process.off('message', this.#hear)
    process.off('disconnect', this.#leave)
    process.off('exit', this.#leave)
    this.#leave()
  }

  #say(message: ToPrimary, onFailure: () => void): void {
    process.send?.(message, undefined, undefined, error => {
      if (error !== null) onFailure()
    })
  }

  readonly #hear = (message: unknown): void => {
    if (!isOurs(message)) return
    const said = message as ToWorker
    if (said.deedbox === 'log-written') {
      if (said.key === this.#key) this.#forget(said.number)
    } else if (said.path === this.#path) {
      this.#isServed = said.isOpen
      // The primary has answered all that it has written, and takes no more.
      if (!said.isOpen) this.#writeAll()
    }
  }

  /** Whether it was still under way. */
  #forget(number: number): boolean {
    const text = this.#underWay.get(number)
    if (text === undefined) return false
    this.#underWay.delete(number)
    this.#underWaySize -= text.length
    this.#settle()
    return true
  }

  #settle(): void {
    if (this.#underWay.size > 0) return
    for (const resolve of this.#drained.splice(0)) resolve()
  }

  #writeAll(): void {
    for (const text of this.#underWay.values()) this.#write(text)
    this.#clear()
  }

  #clear(): void {
    this.#underWay.clear()
    this.#underWaySize = 0
    this.#settle()
  }

  /** The channel is gone, or soon will be: what is under way may have arrived or not, and only the primary knows. */
  readonly #leave = (): void => {
    this.#isServed = false
    if (this.#underWay.size === 0) return
    // Its parent is another one once the primary is dead; then twice is better than not at all.
    if (process.ppid !== this.#parent) {
      this.#writeAll()
      return
    }
    const left = [...this.#underWay].map(([number, text]) => ({ number, text }))
    try {
      leaveLines(this.#path, this.#key, left)
      this.#clear()
    } catch {
      this.#writeAll()
    }
  }
}
