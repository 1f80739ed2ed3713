import {
  decodeEntryBundle,
  entriesPath,
  fullTileWidth,
  hashSize,
  maxEntryLength,
  TlogError,
  tilePath,
} from '@deedbox/tlog'
import type { LogFetch } from './log-fetch.ts'

/**
 * A hash tile of the given width, or undefined when the log has none. A log need not keep partial tiles once the full
 * one is there (C2SP tlog-tiles), so that one is asked for next.
 *
 * @throws LogUnreachable
 */
export async function fetchTile(
  log: LogFetch,
  level: number,
  n: number,
  width: number,
): Promise<Uint8Array | undefined> {
  const exact = await log.get(tilePath(level, n, width), width * hashSize)
  if (exact !== undefined || width === fullTileWidth) return exact
  const full = await log.get(tilePath(level, n), fullTileWidth * hashSize)
  return full?.subarray(0, width * hashSize)
}

/**
 * The first `width` entries of a bundle; undefined when the log has none, and fewer or more when it answers so.
 *
 * @throws LogUnreachable; TlogError `malformed_bundle`
 */
async function fetchEntries(log: LogFetch, n: number, width: number): Promise<Uint8Array[] | undefined> {
  const limit = (count: number) => count * (2 + maxEntryLength)
  const exact = await log.get(entriesPath(n, width), limit(width))
  if (exact !== undefined) return decodeEntryBundle(exact)
  if (width === fullTileWidth) return undefined
  const full = await log.get(entriesPath(n), limit(fullTileWidth))
  return full === undefined ? undefined : decodeEntryBundle(full).slice(0, width)
}

/** One piece of a log as it was answered: its entries, or why there are none that can be used. */
export interface LogPiece {
  entries?: Uint8Array[]
  /** The full tile of level 0; undefined when the log has none, and for a piece at the end. */
  tile: Uint8Array | undefined
  fault?: string
}

/** Both halves of a piece, at the same time. @throws LogUnreachable */
export async function fetchPiece(log: LogFetch, n: number, width: number): Promise<LogPiece> {
  const [bundle, tile] = await Promise.allSettled([
    fetchEntries(log, n, width),
    width === fullTileWidth ? fetchTile(log, 0, n, width) : undefined,
  ])
  if (tile.status === 'rejected') throw tile.reason
  if (bundle.status === 'fulfilled') {
    return bundle.value === undefined ? { tile: tile.value } : { tile: tile.value, entries: bundle.value }
  }
  if (!(bundle.reason instanceof TlogError)) throw bundle.reason
  return { tile: tile.value, fault: bundle.reason.message }
}
