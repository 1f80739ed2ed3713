import { randomUUID } from 'node:crypto'
import type { EventInput, EventMeta } from '@deedbox/ledger'

const services = [
  'checkout',
  'accounts',
  'invoices',
  'catalogue',
  'shipping',
  'search',
  'support',
  'identity',
]
const actions = ['created', 'updated', 'viewed', 'approved', 'cancelled', 'exported']
const things = ['order', 'invoice', 'user', 'address', 'role', 'document', 'payment']
const types = ['info', 'success', 'info', 'success', 'warning', 'info', 'success', 'error'] as const

/** How many different actors the generated events have. */
export const actorCount = 10_000

/** The actor of the n-th generated event: a fixed walk through all of them, in no order that an index could like. */
export function actorOf(n: number): string {
  return `u_${(n * 7919) % actorCount}`
}

/** The event name of the n-th generated event, one of 42. */
export function eventNameOf(n: number): string {
  return `${things[n % things.length]}.${actions[Math.floor(n / 7) % actions.length]}`
}

/** The service of the n-th generated event, one of 8. */
export function serviceOf(n: number): string {
  return services[(n * 31) % services.length]!
}

/** The n-th generated event, as the SDK would send it for a request: its meta with an actor, a payload of 300 bytes. */
export function eventAt(n: number): { payload: string; meta: EventMeta } {
  const requestId = randomUUID()
  const meta: EventMeta = {
    type: types[n % types.length]!,
    event_name: eventNameOf(n),
    service: serviceOf(n),
    request_id: requestId,
    env: 'production',
    actor: { type: 'user', id: actorOf(n) },
    outcome: n % 8 === 7 ? 'failure' : 'success',
  }
  const payload =
    `{"id":"${randomUUID()}","kind":"info","message":"POST /orders/${n} answered 200"` +
    `,"context":{"ip":"10.0.${n % 256}.${(n >> 8) % 256}","user_agent":"Mozilla/5.0 (X11; Linux x86_64) Gecko"}` +
    `,"request":{"request_id":"${requestId}","method":"POST","path":"/orders/${n}","query_params":{}}` +
    `,"metrics":{"latency_ms":${n % 90},"status_code":200}}`
  return { payload, meta }
}

/** The n-th generated event as one item of a batch over HTTP. */
export function batchItem(n: number): { payload: string; meta: EventMeta; idempotency_key: string } {
  return { ...eventAt(n), idempotency_key: uuid7() }
}

/** The n-th generated event as `appendBatch` takes it. */
export function eventInput(n: number): EventInput {
  return { ...eventAt(n), idempotencyKey: uuid7() }
}

/** A payload of exactly so many bytes, JSON by convention like everybody's. */
export function payloadOfSize(bytes: number): string {
  const { payload } = eventAt(12_345)
  const start = `${payload.slice(0, -1)},"note":"`
  return `${start}${'x'.repeat(Math.max(0, bytes - start.length - 2))}"}`
}

let last = 0
let counter = 0

/** An idempotency key like the SDK's: UUID version 7, its time first and increasing. */
export function uuid7(): string {
  const now = Date.now()
  counter = now > last ? 0 : counter + 1
  if (counter > 0xfff) {
    counter = 0
    last++
  }
  last = Math.max(last, now)
  const time = last.toString(16).padStart(12, '0')
  const random = Math.floor(Math.random() * 0x1000000000000)
    .toString(16)
    .padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-9${random.slice(9)}-${random}`
}
