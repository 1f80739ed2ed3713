import { createHash } from 'node:crypto'
import type { EventKind, EventMeta, LedgerItem } from '../audit/index.ts'
import { checkEvent, type EventSource, eventSchema, firstFault } from '../event-rules/index.ts'
import { uuid4, wallMicroseconds } from '../request/index.ts'

/** An event that a ledger in memory has stored. */
export interface MemoryEvent {
  /** Its place, from 0. */
  readonly index: number
  readonly txId: string
  /** When it was stored, ISO 8601 in UTC. */
  readonly at: string
  readonly event_name: string
  readonly type: EventKind
  readonly service: string
  /** The payload, parsed; the text as it is, when it is no JSON. */
  readonly payload: unknown
  /** The payload exactly as it was sent. */
  readonly text: string
  /** Its members in the order of RFC 8785. */
  readonly meta: EventMeta
  /** Hex SHA-256 of the payload. */
  readonly payloadHash: string
  /** Who sent it: `in-process`, or the writer of the key of HTTP calls. */
  readonly principal: string
  readonly requestId: string
  readonly idempotencyKey: string | undefined
  /** The `txId` of the first event under the same key, where this one differs from it. */
  readonly amends: string | undefined
}

/** What is said of an event that is stored. */
export interface Stored {
  readonly ok: true
  readonly txId: string
  readonly index: number
  readonly payloadHash: string
  readonly status: 'accepted'
  readonly duplicate: boolean
  readonly amends?: string
  readonly requestId: string
}

/** Events in the order they came, each key and content once, as the ledger does. (DESIGN §7.2) */
export class MemoryStore {
  readonly events: MemoryEvent[] = []
  readonly #keys = new Map<
    string,
    { readonly first: MemoryEvent; readonly contents: Map<string, MemoryEvent> }
  >()

  /** @throws EventRefusal */
  append(item: LedgerItem, principal: string, source: EventSource): Stored {
    const parts = checkEvent(item, source, event => firstFault(eventSchema, event))
    const requestId = parts.requestId ?? uuid4()
    const { idempotencyKey: key } = parts
    const content = `${parts.core}\n${parts.content}\n${parts.payload}`
    const name = key === undefined ? undefined : JSON.stringify([principal, key])
    const known = name === undefined ? undefined : this.#keys.get(name)
    const before = known?.contents.get(content)
    if (before !== undefined) return { ...answerTo(before), duplicate: true, requestId }
    const meta = { ...JSON.parse(parts.core), ...JSON.parse(parts.context) } as EventMeta
    const event: MemoryEvent = {
      index: this.events.length,
      txId: newTxId(this.events.length),
      at: new Date(Math.floor(wallMicroseconds() / 1000)).toISOString(),
      event_name: meta.event_name,
      type: meta.type,
      service: meta.service,
      payload: parsedPayload(parts.payload),
      text: parts.payload,
      meta,
      payloadHash: createHash('sha256').update(parts.payload).digest('hex'),
      principal,
      requestId,
      idempotencyKey: key,
      amends: known?.first.txId,
    }
    this.events.push(event)
    if (known !== undefined) known.contents.set(content, event)
    else if (name !== undefined) this.#keys.set(name, { first: event, contents: new Map([[content, event]]) })
    const { amends } = event
    return amends === undefined ? answerTo(event) : { ...answerTo(event), amends, requestId }
  }
}

function answerTo({ txId, index, payloadHash, requestId }: MemoryEvent): Stored {
  return { ok: true, txId, index, payloadHash, status: 'accepted', duplicate: false, requestId }
}

function parsedPayload(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** As ids of the ledger look: eight characters of the index, sixteen further ones that two ledgers do not share. */
function newTxId(index: number): string {
  let place = ''
  for (let rest = index, i = 0; i < 8; i++, rest = Math.floor(rest / 32)) place = alphabet[rest % 32] + place
  const digest = createHash('sha256').update(uuid4()).digest()
  return `tx_${place}${Array.from(digest.subarray(0, 16), byte => alphabet[byte & 31]).join('')}`
}
