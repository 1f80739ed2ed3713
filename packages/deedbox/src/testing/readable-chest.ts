import type { ContextEntry, ReadableChest, StoredEntry } from '../tracking/index.ts'
import { contextEntry } from '../tracking/index.ts'

/** A chest in memory that can be emptied, as the interface asks for it. */
export class MemoryChest implements ReadableChest {
  readonly id: string
  readonly rows: Map<number, ContextEntry> = new Map()
  /** Who has the lease, and until when. */
  lessee: { readonly holder: string; readonly until: number } | undefined
  /** Called before each write. */
  onWrite: (entries: readonly ContextEntry[]) => void | Promise<void> = () => {}
  /** Each write that was taken. */
  readonly writes: (readonly ContextEntry[])[] = []
  #key = 0

  constructor(name: string) {
    this.id = `Memory(name=${name})`
  }

  async write(entries: readonly ContextEntry[]): Promise<void> {
    await this.onWrite(entries)
    this.writes.push(entries)
    const known = new Set([...this.rows.values()].map(({ id }) => id))
    for (const entry of entries) if (!known.has(entry.id)) this.rows.set(++this.#key, entry)
  }

  async find(): Promise<StoredEntry[]> {
    return this.#stored()
  }

  async oldest(limit: number): Promise<StoredEntry[]> {
    return this.#stored().slice(0, limit)
  }

  async remove(keys: readonly StoredEntry['key'][]): Promise<number> {
    return keys.filter(key => this.rows.delete(key as number)).length
  }

  async count(): Promise<number> {
    return this.rows.size
  }

  async lease(holder: string, milliseconds: number): Promise<boolean> {
    const now = performance.now()
    if (this.lessee !== undefined && this.lessee.holder !== holder && now < this.lessee.until) return false
    this.lessee = { holder, until: now + milliseconds }
    return true
  }

  async release(holder: string): Promise<void> {
    if (this.lessee?.holder === holder) this.lessee = undefined
  }

  async holder(): Promise<string | undefined> {
    return this.lessee?.holder
  }

  async check(): Promise<[]> {
    return []
  }

  async close(): Promise<void> {}

  #stored(): StoredEntry[] {
    return [...this.rows].map(([key, entry]) => ({ key, entry, tags: {} }))
  }
}

/** The entries of one request: as many as there are names. */
export function entriesOf(requestId: string, ...names: string[]): ContextEntry[] {
  const record = {
    id: `record-${requestId}`,
    requestId,
    timestamp: 1_700_000_000_000_000 + requestId.length,
    service: 'shop',
    env: 'test',
    route: '/orders',
    method: 'GET',
    status: 200,
    error: null,
  }
  return names.map((name, i) => contextEntry(record, i, name, `${requestId} ${name}`))
}

/** The ids of what is in a chest, in its order. */
export const idsIn = (chest: MemoryChest): string[] => [...chest.rows.values()].map(({ id }) => id)

/** A chest with so many requests of two variables, and one to export to. */
export async function twoChests(
  requests: number,
): Promise<{ from: MemoryChest; to: MemoryChest; all: string[] }> {
  const from = new MemoryChest('from')
  for (let i = 0; i < requests; i++) await from.write(entriesOf(`r${i}`, 'user', 'total'))
  return { from, to: new MemoryChest('to'), all: idsIn(from) }
}
