import { randomFillSync } from 'node:crypto'

/**
 * `tx_` + eight characters of index + sixteen random ones, in Crockford's base32 (no i, l, o, u).
 *
 * The index inside makes a look-up by `tx_id` a look-up by row key, so no index tree has to be kept for it; the
 * 80 random bits make the ids of two ledgers, or of two histories of one, differ. Sorting ids sorts events.
 */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const indexLength = 8
const randomLength = 16
const form = new RegExp(`^tx_[${alphabet}]{${indexLength + randomLength}}$`)

const pool = new Uint8Array(4096)
let used = pool.length

/** A new id for the leaf at `index` (below 2^40). */
export function newTxId(index: number): string {
  if (used + randomLength > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  let id = ''
  for (let rest = index, i = 0; i < indexLength; i++) {
    id = `${alphabet[rest % 32]}${id}`
    rest = Math.floor(rest / 32)
  }
  for (let i = 0; i < randomLength; i++) id += alphabet[pool[used++]! & 31]
  return `tx_${id}`
}

/** The index that an id names, or undefined when the text is no such id. */
export function indexOfTxId(id: string): number | undefined {
  if (!form.test(id)) return undefined
  let index = 0
  for (let i = 0; i < indexLength; i++) index = index * 32 + alphabet.indexOf(id[i + 3]!)
  return index
}
