import { TlogError } from './errors.ts'

/**
 * The leaf of an event ledger: one line of RFC 8785 JSON, and exactly these bytes are hashed into the tree.
 * It names its ledger and itself, so it cannot be shown as a leaf of another log or place, and carries one
 * commitment for each part (see commitment.ts). No personal data: it may be public.
 */
export interface EventLeaf {
  /** Commitment to the rest of meta: base64url of a SHA-256, 43 characters. */
  context: string
  /** Commitment to type, event_name, service, env. */
  core: string
  /** When the ledger took it, `YYYY-MM-DDTHH:MM:SS.sssZ`; never earlier than the leaf before. */
  at: string
  /** Set by the ledger only; a client's event is always `event`. */
  kind: LeafKind
  /** The origin of the ledger. */
  ledger: string
  /** Commitment to the payload as sent. */
  payload: string
  /** Commitment to principal, idempotency hash, amended event, request id. */
  server: string
  tx_id: string
  /** Version of this form. */
  v: 1
}

/** What a leaf records: a client's event, or an act of the ledger itself. */
export type LeafKind = 'event' | 'erasure' | 'retention' | 'admin'

const kinds: readonly string[] = ['event', 'erasure', 'retention', 'admin']
const commitmentForm = /^[A-Za-z0-9_-]{43}$/
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/**
 * The bytes of a leaf. Written out instead of serialised: all members are known, sorted, and free of characters
 * that JSON escapes, so this is their RFC 8785 form ({@link parseEventLeaf} proves it by round trip).
 */
export function formatEventLeaf(leaf: EventLeaf): string {
  return (
    `{"at":"${leaf.at}","context":"${leaf.context}","core":"${leaf.core}","kind":"${leaf.kind}",` +
    `"ledger":"${leaf.ledger}","payload":"${leaf.payload}","server":"${leaf.server}",` +
    `"tx_id":"${leaf.tx_id}","v":${leaf.v}}`
  )
}

/**
 * Reads a leaf strictly: only bytes that {@link formatEventLeaf} writes are accepted, so no two texts mean one leaf.
 *
 * @throws TlogError `unknown_version` for a leaf of a later version, `malformed_leaf` for anything else
 */
export function parseEventLeaf(bytes: Uint8Array): EventLeaf {
  let text: string
  let value: Record<string, unknown>
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    throw new TlogError('malformed_leaf', 'The leaf is not JSON in UTF-8.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TlogError('malformed_leaf', 'The leaf is not a JSON object.')
  }
  if (typeof value.v === 'number' && value.v > 1) {
    throw new TlogError('unknown_version', `The leaf has version ${value.v}; this verifier knows version 1.`)
  }
  const leaf = value as unknown as EventLeaf
  const sound =
    leaf.v === 1 &&
    timeForm.test(leaf.at) &&
    kinds.includes(leaf.kind) &&
    [leaf.core, leaf.context, leaf.payload, leaf.server].every(text => commitmentForm.test(text)) &&
    typeof leaf.ledger === 'string' &&
    typeof leaf.tx_id === 'string' &&
    formatEventLeaf(leaf) === text
  if (!sound) throw new TlogError('malformed_leaf', 'The leaf is not a canonical event leaf of version 1.')
  return leaf
}
