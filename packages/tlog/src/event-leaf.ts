// The leaf of an event ledger: what is hashed into the tree for one event, and stays there for ever.
//
//     {"at":"2026-01-02T03:04:05.678Z","context":"…","core":"…","kind":"event",
//      "ledger":"ledger.example/acme","payload":"…","server":"…","tx_id":"…","v":1}
//
// in one line of RFC 8785 JSON; exactly these bytes are the entry. It names its ledger and itself, so it
// cannot be shown as a leaf of another log or under another id, and it carries one commitment for each part
// of the event (commitment.ts) instead of the part. There is no personal data in it: it may be public.
//
// Reading is the exact inverse of writing. Of all the JSON texts for one value only one is a leaf, so nobody
// can be shown a duplicate member that another program reads differently, and nobody has to ask which of two
// spellings was meant.

import { parseJsonObject } from './canonical-json.ts'
import { parts } from './commitment.ts'
import { decodeUtf8 } from './encoding.ts'
import { TlogError } from './errors.ts'

/** A leaf taken apart. */
export interface EventLeaf {
  /** When the ledger took it, `YYYY-MM-DDTHH:MM:SS.sssZ`; never earlier than the leaf before. */
  readonly at: string
  /** Commitment to the rest of meta: base64url of a SHA-256, 43 characters. */
  readonly context: string
  /** Commitment to type, event_name, service, env. */
  readonly core: string
  /** Set by the ledger only; a client's event is always `event`. */
  readonly kind: LeafKind
  /** The origin of the ledger. Not empty; no quotes, backslashes or control characters. */
  readonly ledger: string
  /** Commitment to the payload as sent. */
  readonly payload: string
  /** Commitment to principal, idempotency hash, amended event, request id. */
  readonly server: string
  /** The event's id in this ledger; characters as in `ledger`. */
  readonly tx_id: string
  /** Version of this form. */
  readonly v: 1
}

/** What a leaf records: a client's event, or an act of the ledger itself. */
export type LeafKind = 'event' | 'erasure' | 'retention' | 'admin'

/** What a member claims to be before it has been checked. */
type Unchecked = { readonly [member in keyof EventLeaf]?: unknown }

const kinds: ReadonlySet<unknown> = new Set<LeafKind>(['event', 'erasure', 'retention', 'admin'])
const timeForm = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/
// 43 letters have two bits more than 32 bytes; these are the last letters that leave them zero.
const commitmentForm = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
// Nothing that JSON writes in any other way than it stands there.
const plainForm = /^[^"\\\x00-\x1f]+$/

/**
 * The text of a leaf; its UTF-8 bytes are the entry. Written out instead of serialised: all members are
 * known, in order, and free of characters that JSON escapes, so this is their RFC 8785 form.
 * @throws TlogError `malformed_leaf` for what {@link parseEventLeaf} would not read: it would stay in the
 * tree for ever
 */
export function formatEventLeaf(leaf: EventLeaf): string {
  const member = unsoundMember(leaf)
  if (member !== undefined) {
    throw new TlogError(
      'malformed_leaf',
      `No leaf can be written: its "${member}" does not have the form of one.`,
    )
  }
  return write(leaf)
}

/**
 * Reads a leaf strictly: only bytes that {@link formatEventLeaf} writes are accepted, so no two texts mean
 * one leaf.
 * @throws TlogError `unknown_version` for a leaf of a later version, `malformed_leaf` for anything else
 */
export function parseEventLeaf(bytes: Uint8Array): EventLeaf {
  const text = decodeUtf8(bytes)
  const leaf: Unchecked | undefined = text === undefined ? undefined : parseJsonObject(text)
  if (leaf === undefined) throw new TlogError('malformed_leaf', 'The leaf is not a JSON object in UTF-8.')
  if (Number.isInteger(leaf.v) && Number(leaf.v) > 1) {
    throw new TlogError('unknown_version', `The leaf has version ${leaf.v}; this verifier knows version 1.`)
  }
  const member = unsoundMember(leaf)
  if (member !== undefined) {
    throw new TlogError(
      'malformed_leaf',
      `The leaf is no event leaf of version 1: its "${member}" is missing or does not have the form of one.`,
    )
  }
  const sound = leaf as EventLeaf
  if (write(sound) !== text) {
    throw new TlogError('malformed_leaf', 'The leaf is not in the one canonical form of an event leaf.')
  }
  return sound
}

function write(leaf: EventLeaf): string {
  return (
    `{"at":"${leaf.at}","context":"${leaf.context}","core":"${leaf.core}","kind":"${leaf.kind}",` +
    `"ledger":"${leaf.ledger}","payload":"${leaf.payload}","server":"${leaf.server}",` +
    `"tx_id":"${leaf.tx_id}","v":${leaf.v}}`
  )
}

/** The first member that no leaf can have, or have in this way. */
function unsoundMember(leaf: Unchecked): keyof EventLeaf | undefined {
  if (!isTime(leaf.at)) return 'at'
  for (const part of parts) {
    if (!matches(commitmentForm, leaf[part])) return part
  }
  if (!kinds.has(leaf.kind)) return 'kind'
  if (!isPlainText(leaf.ledger)) return 'ledger'
  if (!isPlainText(leaf.tx_id)) return 'tx_id'
  return leaf.v === 1 ? undefined : 'v'
}

function isTime(value: unknown): boolean {
  // Only after the 28th can a day be missing from its month, and asking `Date` costs more than all the rest.
  return matches(timeForm, value) && (value.slice(8, 10) <= '28' || isDay(value))
}

/** Some engines read the 30th of February as the 2nd of March, others as no time at all. */
function isDay(time: string): boolean {
  return new Date(time).getUTCDate() === Number(time.slice(8, 10))
}

function isPlainText(value: unknown): boolean {
  return matches(plainForm, value) && value.isWellFormed()
}

function matches(form: RegExp, value: unknown): value is string {
  return typeof value === 'string' && form.test(value)
}
