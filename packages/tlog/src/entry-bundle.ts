// Entry bundles: the leaves themselves, 256 to a file (C2SP tlog-tiles).
//
// A bundle is each entry after the other, with its length in front as two big-endian bytes. That is why an
// entry has at most 65,535 bytes. The leaf hash covers the entry without its length. A partial bundle is a
// prefix of the full one, as with tiles, so appending never changes a byte that was served before.

import { TlogError } from './errors.ts'
import { fullTileWidth } from './tile-path.ts'

/** The most bytes that an entry of a log can have: its length is written in 16 bits. */
export const maxEntryLength = 65_535

/**
 * The bundle of 1–256 entries.
 * @throws TlogError `malformed_bundle` for no entries, more than 256, or one of more than 65,535 bytes
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  requireCount(entries.length)
  let length = 0
  for (const [i, entry] of entries.entries()) {
    if (entry.length > maxEntryLength) {
      throw new TlogError(
        'malformed_bundle',
        `Entry ${i} has ${entry.length} bytes; an entry of a bundle has at most ${maxEntryLength}.`,
      )
    }
    length += 2 + entry.length
  }
  const bundle = new Uint8Array(length)
  let at = 0
  for (const entry of entries) {
    bundle[at] = entry.length >> 8
    bundle[at + 1] = entry.length
    bundle.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bundle
}

/**
 * The 1–256 entries of a bundle, in order, as views into it (copy what must outlive or may be changed).
 * @throws TlogError `malformed_bundle` when it is empty, cut short, or has more than 256 entries
 */
export function decodeEntryBundle(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bundle.length) {
    const start = at + 2
    const end = start + bundle[at]! * 256 + (bundle[at + 1] ?? 0)
    if (end > bundle.length) {
      throw new TlogError('malformed_bundle', `The bundle is cut short within entry ${entries.length}.`)
    }
    entries.push(bundle.subarray(start, end))
    at = end
  }
  requireCount(entries.length)
  return entries
}

function requireCount(count: number): void {
  if (count < 1 || count > fullTileWidth) {
    throw new TlogError('malformed_bundle', `A bundle has 1 to ${fullTileWidth} entries, not ${count}.`)
  }
}
