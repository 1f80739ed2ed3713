import type { ProducerMark } from 'deedbox/event-rules'
import type { EventColumns } from '../events/index.ts'
import {
  longestProducerId,
  newProducer,
  type ProducerAnnouncement,
  type ProducerRow,
  withAnnouncement,
  withSeen,
} from '../producers/index.ts'
import type { StoreTransaction } from '../store/index.ts'

/** Producers of one writer that are kept; the next one has an old one forgotten. */
export const mostProducers = 2_000

/** What the events of one transaction say of their producers: one look and one row for each, however many events. */
export class ProducerNotes {
  readonly #found = new Map<
    string,
    { principal: string; id: string; numbers: number[]; columns: EventColumns }
  >()

  /** Takes note of an event that is stored; whose id is too long is not kept track of. */
  add(principal: string, mark: ProducerMark | undefined, columns: EventColumns): void {
    if (mark === undefined || mark.id.length > longestProducerId) return
    // A principal is visible ASCII, so the line break keeps the two apart.
    const name = `${principal}\n${mark.id}`
    const known = this.#found.get(name)
    if (known === undefined) this.#found.set(name, { principal, id: mark.id, numbers: [mark.seq], columns })
    else known.numbers.push(mark.seq)
  }

  /** Stores it, at the time of the transaction's leaves. */
  async store(tx: StoreTransaction, ledgerId: number, at: number): Promise<void> {
    const grown = new Set<string>()
    for (const { principal, id, numbers, columns } of this.#found.values()) {
      const known = await tx.producer(ledgerId, principal, id)
      if (known === null) grown.add(principal)
      const row = known ?? newProducer(principal, id, at)
      await tx.saveProducer(ledgerId, withSeen(row, numbers, columns, at))
    }
    await prune(tx, ledgerId, grown)
  }
}

/** Stores what producers said about themselves, in order. */
export async function noteAnnouncements(
  tx: StoreTransaction,
  ledgerId: number,
  announcements: readonly ProducerAnnouncement[],
  at: number,
): Promise<void> {
  const grown = new Set<string>()
  for (const { principal, said } of announcements) {
    const known: ProducerRow | null = await tx.producer(ledgerId, principal, said.producerId)
    if (known === null) grown.add(principal)
    const row = known ?? newProducer(principal, said.producerId, at)
    await tx.saveProducer(ledgerId, withAnnouncement(row, said, at))
  }
  await prune(tx, ledgerId, grown)
}

async function prune(tx: StoreTransaction, ledgerId: number, principals: ReadonlySet<string>): Promise<void> {
  for (const principal of principals) await tx.pruneProducers(ledgerId, principal, mostProducers)
}
