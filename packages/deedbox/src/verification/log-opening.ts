import {
  bytesEqual,
  type Checkpoint,
  type Findings,
  fullTileWidth,
  maxNoteLength,
  openCheckpoint,
  parseVerifierKey,
  RightEdge,
  TlogError,
  tileWidth,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import type { LogFetch } from './log-fetch.ts'
import { fetchTile } from './log-tiles.ts'

const { sha256 } = nodeCrypto

/** A list of keys is short. */
const maxKeysLength = 16 * 1024
const maxKeys = 16
/** No position of a ledger lies beyond. */
const maxSize = 2 ** 40

/** A log whose newest checkpoint holds. */
export interface OpenedLog {
  keys: readonly VerifierKey[]
  newest: Checkpoint
  /** The checkpoint as it was fetched. */
  note: string
}

/**
 * Fetches the newest checkpoint, and the verifier keys if the caller brought none.
 *
 * @returns undefined when there is nothing that could be checked; `findings` say why
 * @throws LogUnreachable
 */
export async function openLog(
  log: LogFetch,
  pinned: readonly VerifierKey[],
  findings: Findings,
): Promise<OpenedLog | undefined> {
  const keys = pinned.length > 0 ? pinned : await fetchKeys(log, findings)
  const bytes = await log.get('checkpoint', maxNoteLength)
  if (bytes === undefined) {
    findings.add('nothing_checked', `There is no checkpoint at ${log.base.href}.`)
    return undefined
  }
  const newest = openSigned(bytes, 'The newest checkpoint', keys, findings)
  if (newest === undefined) return undefined
  if (newest.size > maxSize) {
    findings.add('bad_signature', `No ledger has ${newest.size} entries, as the newest checkpoint says.`)
    return undefined
  }
  return { keys, newest, note: Buffer.from(bytes).toString('utf8') }
}

async function fetchKeys(log: LogFetch, findings: Findings): Promise<VerifierKey[]> {
  const bytes = (await log.get('vkey', maxKeysLength)) ?? new Uint8Array()
  const lines = Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .filter(line => line !== '')
  try {
    return lines.slice(0, maxKeys).map(line => parseVerifierKey(sha256, line))
  } catch (error) {
    findings.add('bad_signature', `The log hands out no verifier key: ${String(error)}`)
    return []
  }
}

/**
 * Opens a checkpoint, or says in `findings` why it does not hold.
 *
 * @param what it is, as the beginning of a sentence
 * @param origin the log that it has to be of
 */
export function openSigned(
  note: string | Uint8Array,
  what: string,
  keys: readonly VerifierKey[],
  findings: Findings,
  origin?: string,
): Checkpoint | undefined {
  let why: string
  try {
    const checkpoint = openCheckpoint(nodeCrypto, note, keys)
    if (checkpoint.extensions.length > 0) why = 'has extension lines, which no Deedbox ledger signs.'
    else if (origin !== undefined && checkpoint.origin !== origin) {
      why = `is of another log: ${checkpoint.origin}.`
    } else return checkpoint
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    why = `does not hold: ${error.message}`
  }
  findings.add('bad_signature', `${what} ${why}`)
  return undefined
}

/**
 * Whether the last tile of each level has the signed root: if not, nothing that this server says belongs together, and
 * it could go on for ever.
 *
 * @throws LogUnreachable
 */
export async function edgeFits(
  log: LogFetch,
  { size, root }: Checkpoint,
  findings: Findings,
): Promise<boolean> {
  const tiles = new Map<number, Uint8Array>()
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / fullTileWidth)) {
    const n = Math.floor(hashes / fullTileWidth)
    const width = tileWidth(level, n, size)
    const tile = width === 0 ? undefined : await fetchTile(log, level, n, width)
    if (tile !== undefined) tiles.set(level, tile)
  }
  try {
    const edge = RightEdge.load(sha256, size, level => tiles.get(level) ?? new Uint8Array())
    if (bytesEqual(edge.root(), root)) return true
    findings.add('fork', 'The hash tiles at the end of the log do not hash to its newest checkpoint.')
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    findings.add('content_mismatch', `The hash tiles at the end of the log: ${error.message}`)
  }
  return false
}
