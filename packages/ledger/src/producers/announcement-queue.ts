import { LedgerError } from '../errors.ts'
import type { ProducerAnnouncement } from './announcement.ts'

/** Announcements that wait for the one transaction; more are refused, and come again in a minute. */
const mostWaiting = 1_000

interface Waiting {
  announcement: ProducerAnnouncement
  resolve: () => void
  reject: (error: unknown) => void
}

/** Stores announcements, those that come while others are being stored in one transaction. */
export class AnnouncementQueue {
  readonly #store: (announcements: ProducerAnnouncement[]) => Promise<void>
  #waiting: Waiting[] = []
  #underWay: Promise<void> | undefined

  /** @param store stores them in one transaction */
  constructor(store: (announcements: ProducerAnnouncement[]) => Promise<void>) {
    this.#store = store
  }

  /** Resolves once it is stored. @throws LedgerError `overloaded`, and why it cannot be stored */
  add(announcement: ProducerAnnouncement): Promise<void> {
    if (this.#waiting.length >= mostWaiting) {
      throw new LedgerError('overloaded', 'Enough announcements wait already. Try again in a moment.')
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ announcement, resolve, reject })
      this.#underWay ??= this.#run()
    })
  }

  /** Resolves once nothing waits any more. Never rejects. */
  async idle(): Promise<void> {
    await this.#underWay
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0)
      try {
        await this.#store(group.map(({ announcement }) => announcement))
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#underWay = undefined
  }
}
