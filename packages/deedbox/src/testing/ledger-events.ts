import type { TestContext } from 'node:test'
import type { AuditEvent } from '../audit/audit-event.ts'
import type { LedgerItem, LedgerResult } from '../audit/ledger-client.ts'
import { type Deedbox, type DeedboxOptions, deedbox } from '../index.ts'
import { uuid7 } from '../request/index.ts'
import type { RequestRecord } from '../request/record.ts'
import { LedgerStandIn, type Script } from './ledger-stand-in.ts'

/** Events `e0`, `e1`, … each with a key of its own. */
export function someEvents(count: number): AuditEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    payload: JSON.stringify({ n: i, word: 'naïve 日本' }),
    meta: { type: 'info', event_name: `e${i}`, service: 'tests', request_id: `r${i}`, env: 'testing' },
    idempotencyKey: uuid7(),
    requestId: `r${i}`,
  }))
}

/** The answer of a ledger that took an event. */
export function taken(item: LedgerItem): LedgerResult {
  return { ok: true, txId: `tx-${item.idempotencyKey}`, payloadHash: '00', duplicate: false }
}

/** The record of a plain `GET /orders/7` that was answered 200. */
export function aRecord(changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    schema: 1,
    requestId: 'req-1',
    inboundRequestId: null,
    trace: null,
    startedAt: 1_800_000_000_123_456,
    method: 'GET',
    path: '/orders/7',
    query: '',
    route: '/orders/:id',
    eventName: 'http.GET./orders/:id',
    eventDetails: null,
    scheme: 'http',
    protocol: '1.1',
    client: { ip: '192.0.2.7', remote: '192.0.2.7:5000', chain: ['192.0.2.7'], trusted: false },
    userAgent: 'agent/1',
    referer: null,
    language: null,
    user: null,
    body: null,
    outcome: 'completed',
    status: 200,
    statusSent: 200,
    responseLength: 2,
    elapsed: 0.0129,
    ttfb: 0.01,
    error: null,
    late: false,
    withheld: false,
    skipped: false,
    values: {},
    ...changes,
  }
}

/** What an instance wrote, one object per line. */
export type Lines = readonly Record<string, unknown>[]

/** An instance whose lines are kept, closed when the test ends. */
export function aBox(t: TestContext, options: DeedboxOptions): { box: Deedbox; lines: Lines } {
  const lines: Record<string, unknown>[] = []
  const box = deedbox({
    service: 'tests',
    env: 'testing',
    flushOnSignal: false,
    ...options,
    audit: { durability: 'memory', ...options.audit },
    log: { sink: { write: line => lines.push(JSON.parse(line) as Record<string, unknown>) }, ...options.log },
  })
  t.after(() => box.close(0))
  return { box, lines }
}

/** A stand-in ledger that is closed when the test ends. */
export async function aLedger(t: TestContext, script: Script): Promise<LedgerStandIn> {
  const ledger = await new LedgerStandIn(script).listen()
  t.after(() => ledger.close())
  return ledger
}

/** The notices with the given code. */
export function noticesOf(lines: Lines, code: string): Lines {
  return lines.filter(({ notice }) => notice === code)
}
