import { hash, randomBytes } from 'node:crypto'
import {
  canonicalJson,
  commitmentInput,
  formatEventLeaf,
  type LeafKind,
  type Part,
  saltLength,
} from '@deedbox/tlog'
import type { PreparedEvent } from '../events/index.ts'
import type { EventRow } from '../store/index.ts'

/** What the ledger itself commits to about an event, beside what the client sent. */
export interface ServerPart {
  /** The `tx_id` of the first event under the same idempotency key, when this one has other content. */
  amends?: string
  /** base64url of the keyed hash of the idempotency key. */
  idempotency?: string
  /** Who wrote it. */
  principal: string
  request_id: string
}

/** A leaf and everything stored beside it. */
export interface BuiltLeaf {
  row: EventRow
  txId: string
  /** Hex SHA-256 of the payload as sent. */
  payloadHash: string
}

/** Builds the leaf of one event at its place in the ledger: commitments under fresh salts, canonical bytes. */
export function buildLeaf(
  place: { origin: string; index: number; txId: string; at: number; kind: LeafKind },
  event: PreparedEvent,
  server: ServerPart,
): BuiltLeaf {
  const salts = randomBytes(4 * saltLength)
  const core = Buffer.from(event.core)
  const context = Buffer.from(event.context)
  const payload = Buffer.from(event.payload)
  const serverBytes = Buffer.from(canonicalJson(server))
  const saltOf = (i: number) => salts.subarray(i * saltLength, (i + 1) * saltLength)
  const commitment = (part: Part, salt: Uint8Array, content: Uint8Array) =>
    hash('sha256', commitmentInput(salt, place.origin, place.txId, part, content), 'base64url')
  const leaf = formatEventLeaf({
    at: new Date(place.at).toISOString(),
    context: commitment('context', saltOf(1), context),
    core: commitment('core', saltOf(0), core),
    kind: place.kind,
    ledger: place.origin,
    payload: commitment('payload', saltOf(2), payload),
    server: commitment('server', saltOf(3), serverBytes),
    tx_id: place.txId,
    v: 1,
  })
  return {
    txId: place.txId,
    payloadHash: hash('sha256', payload, 'hex'),
    row: {
      index: place.index,
      leaf: Buffer.from(leaf),
      coreSalt: saltOf(0),
      core,
      contextSalt: saltOf(1),
      context,
      payloadSalt: saltOf(2),
      payload,
      serverSalt: saltOf(3),
      server: serverBytes,
      at: place.at,
      kind: place.kind,
      columns: event.columns,
    },
  }
}
