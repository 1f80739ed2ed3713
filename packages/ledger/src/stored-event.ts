import { createHash } from 'node:crypto'
import { type Part, parseEventLeaf, parts } from '@deedbox/tlog'
import { type EventMeta, jsonValue } from './events/index.ts'
import type { EventParts, EventRow } from './store/index.ts'

/** An event as the ledger shows it. Everything in it is committed to by the leaf at `index`. */
export interface StoredEvent {
  index: number
  tx_id: string
  /** When the ledger took it, ISO 8601 in UTC. */
  at: string
  kind: EventRow['kind']
  /** As sent; null once it was erased. */
  payload: string | null
  /** Hex SHA-256 of the payload, recomputed from what is stored; null once it was erased. */
  payload_hash: string | null
  /** As sent, in canonical order; members of an erased part are missing. */
  meta: Partial<EventMeta>
  /** Who wrote it. */
  principal: string | null
  request_id: string | null
  /** The first event under the same idempotency key, when this one has other content. */
  amends?: string
}

/** The salt and bytes of a part, or null when it was erased. */
export function partOf(row: EventParts, part: Part): { salt: Uint8Array; content: Uint8Array } | null {
  const [salt, content] = {
    core: [row.coreSalt, row.core] as const,
    context: [row.contextSalt, row.context] as const,
    payload: [row.payloadSalt, row.payload] as const,
    server: [row.serverSalt, row.server] as const,
  }[part]
  return salt === null || content === null ? null : { salt, content }
}

/** A part that was tampered with may be no JSON any more: it must not hide the other events of a page. */
function parsed(text: string | undefined): object {
  try {
    return jsonValue(text ?? '{}') as object
  } catch {
    return {}
  }
}

/** The parts of an event, decoded. Unchecked: verification compares them with the leaf. */
export function storedEvent(row: EventRow): StoredEvent {
  const leaf = parseEventLeaf(row.leaf)
  const text: Partial<Record<Part, string>> = {}
  for (const part of parts) {
    const shown = partOf(row, part)
    if (shown !== null) text[part] = Buffer.from(shown.content).toString('utf8')
  }
  const server = parsed(text.server) as {
    principal?: string
    request_id?: string
    amends?: string
  }
  return {
    index: row.index,
    tx_id: leaf.tx_id,
    at: leaf.at,
    kind: row.kind,
    payload: text.payload ?? null,
    payload_hash: row.payload === null ? null : createHash('sha256').update(row.payload).digest('hex'),
    meta: { ...parsed(text.core), ...parsed(text.context) },
    principal: server.principal ?? null,
    request_id: server.request_id ?? null,
    ...(server.amends === undefined ? {} : { amends: server.amends }),
  }
}
