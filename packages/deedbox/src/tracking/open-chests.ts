import type { Chest } from './chest.ts'

/** How many instances of this process write to each chest. */
const writers = new WeakMap<Chest, number>()

/** One more instance writes to a chest. */
export function holdChest(chest: Chest): void {
  writers.set(chest, (writers.get(chest) ?? 0) + 1)
}

/** One instance fewer; with the last one the chest is closed. Rejects as its `close` does. */
export async function letGoOfChest(chest: Chest): Promise<void> {
  const left = (writers.get(chest) ?? 1) - 1
  writers.set(chest, left)
  if (left === 0) await chest.close()
}
