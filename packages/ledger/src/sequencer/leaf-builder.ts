import { hash, randomBytes } from 'node:crypto'
import { commitmentInput, formatEventLeaf, type LeafKind, type Part, saltLength } from '@deedbox/tlog'
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
  const [coreSalt, contextSalt, payloadSalt, serverSalt] = [newSalt(), newSalt(), newSalt(), newSalt()]
  const core = Buffer.from(event.core)
  const context = Buffer.from(event.context)
  const payload = Buffer.from(event.payload)
  const serverBytes = Buffer.from(serverText(server))
  const leaf = formatEventLeaf({
    at: timeText(place.at),
    context: commitment(place, 'context', contextSalt, context),
    core: commitment(place, 'core', coreSalt, core),
    kind: place.kind,
    ledger: place.origin,
    payload: commitment(place, 'payload', payloadSalt, payload),
    server: commitment(place, 'server', serverSalt, serverBytes),
    tx_id: place.txId,
    v: 1,
  })
  return {
    txId: place.txId,
    payloadHash: hash('sha256', payload, 'hex'),
    row: {
      index: place.index,
      leaf: Buffer.from(leaf),
      coreSalt,
      core,
      contextSalt,
      context,
      payloadSalt,
      payload,
      serverSalt,
      server: serverBytes,
      at: place.at,
      kind: place.kind,
      columns: event.columns,
    },
  }
}

/** RFC 8785, since the members stand in order and `prepareEvent` lets no half of a surrogate pair through. */
function serverText({ amends, idempotency, principal, request_id }: ServerPart): string {
  return JSON.stringify({ amends, idempotency, principal, request_id })
}

/** Salts are cut from a block of randomness: asking for each alone costs as much as five hashes. */
let salts = new Uint8Array()
let saltsUsed = 0
const saltsPerBlock = 512

function newSalt(): Uint8Array {
  if (saltsUsed === salts.length) {
    salts = randomBytes(saltsPerBlock * saltLength)
    saltsUsed = 0
  }
  const salt = salts.subarray(saltsUsed, saltsUsed + saltLength)
  saltsUsed += saltLength
  return salt
}

/** All events of a commit have one time. */
let lastTime = { at: Number.NaN, text: '' }

function timeText(at: number): string {
  if (lastTime.at !== at) lastTime = { at, text: new Date(at).toISOString() }
  return lastTime.text
}

/** Holds one input of a hash after the other; larger ones are laid out by tlog itself. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024)
const domainLength = scratch.write('deedbox-commit/v1\n', 'latin1')

/** The commitment to one part: base64url of the SHA-256 of `commitmentInput`, without allocating that input. */
function commitment(
  { origin, txId }: { origin: string; txId: string },
  part: Part,
  salt: Uint8Array,
  content: Buffer,
): string {
  if (content.length > scratch.length / 2) {
    return hash('sha256', commitmentInput(salt, origin, txId, part, content), 'base64url')
  }
  scratch.set(salt, domainLength)
  // An origin and an id are ASCII (create-ledger.ts, tx-id.ts).
  const place = scratch.write(`${origin}\n${txId}\n${part}\n`, domainLength + saltLength, 'latin1')
  const start = domainLength + saltLength + place
  scratch.set(content, start)
  return hash('sha256', scratch.subarray(0, start + content.length), 'base64url')
}
