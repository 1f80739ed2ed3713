// Where the parts of a log are found: the paths of C2SP tlog-tiles.
//
//   tile/<L>/<N>          256 hashes of level L      tile/entries/<N>          256 entries
//   tile/<L>/<N>.p/<W>    the first W of them        tile/entries/<N>.p/<W>    the first W of them
//
// N is written in groups of three digits, every group but the last with an x in front, so that a log can be a
// folder of plain files: no folder gets too many members, and no name is both a file and a folder. 1234067 is
// x001/x234/067.
//
// One resource has one path. The parser reads what it can and then formats the result again: a path with a
// leading zero, an empty group, a width of 256 or a slash too many does not come out the same, and is
// refused.

import { parseDecimal } from './encoding.ts'
import { quote, TlogError } from './errors.ts'

/** How many hashes, or entries, a full tile holds: the tile height of C2SP tlog-tiles is 8, so 2^8. */
export const fullTileWidth = 256

const maxLevel = 63

/** What a path of a tiled log names: a tile of hashes, or an entry bundle; `width` 256 is the full one. */
export type TilePath =
  | { readonly kind: 'hashes'; readonly level: number; readonly n: number; readonly width: number }
  | { readonly kind: 'entries'; readonly n: number; readonly width: number }

/**
 * The path of hash tile `n` of `level`, relative to the log's prefix: `tile/0/x001/234.p/7`.
 * @param width 1–256; the default 256 is the full tile
 * @throws TlogError `malformed_tile_path` for coordinates that no tile has
 */
export function tilePath(level: number, n: number, width: number = fullTileWidth): string {
  if (!Number.isInteger(level) || level < 0 || level > maxLevel) {
    throw new TlogError(
      'malformed_tile_path',
      `A tile level is a whole number from 0 to ${maxLevel}, not ${level}.`,
    )
  }
  return `tile/${level}/${position(n, width)}`
}

/**
 * The path of entry bundle `n`, relative to the log's prefix: `tile/entries/x001/234.p/7`.
 * @param width 1–256; the default 256 is the full bundle
 * @throws TlogError `malformed_tile_path` for coordinates that no bundle has
 */
export function entriesPath(n: number, width: number = fullTileWidth): string {
  return `tile/entries/${position(n, width)}`
}

/**
 * Reads a path that {@link tilePath} or {@link entriesPath} writes, and nothing else.
 * @throws TlogError `malformed_tile_path`; also for positions beyond 2^53 − 1, which no tree of this package
 * reaches
 */
export function parseTilePath(path: string): TilePath {
  const match = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(
    path,
  )
  if (match !== null) {
    const [, kind = '', groups = '', partial] = match
    const n = parseDecimal(groups.replace(/[x/]/g, '').replace(/^0+(?=.)/, '')) ?? -1
    const width = partial === undefined ? fullTileWidth : Number(partial)
    const isPossible =
      n >= 0 && width >= 1 && width <= fullTileWidth && (kind === 'entries' || Number(kind) <= maxLevel)
    if (isPossible) {
      const parsed: TilePath =
        kind === 'entries' ? { kind: 'entries', n, width } : { kind: 'hashes', level: Number(kind), n, width }
      const canonical = parsed.kind === 'entries' ? entriesPath(n, width) : tilePath(parsed.level, n, width)
      if (canonical === path) return parsed
    }
  }
  throw new TlogError('malformed_tile_path', `${quote(path)} is not the path of a tile or entry bundle.`)
}

function position(n: number, width: number): string {
  if (!Number.isSafeInteger(n) || n < 0) {
    throw new TlogError(
      'malformed_tile_path',
      `A tile number is a whole number from 0 to 2^53 − 1, not ${n}.`,
    )
  }
  if (!Number.isInteger(width) || width < 1 || width > fullTileWidth) {
    throw new TlogError(
      'malformed_tile_path',
      `A tile width is a whole number from 1 to ${fullTileWidth}, not ${width}.`,
    )
  }
  const groups: string[] = []
  for (let rest = n; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    const group = String(rest % 1000).padStart(3, '0')
    groups.unshift(groups.length === 0 ? group : `x${group}`)
  }
  const path = groups.join('/')
  return width === fullTileWidth ? path : `${path}.p/${width}`
}
