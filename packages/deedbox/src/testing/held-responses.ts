import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import type { AuditOptions, Deedbox, DeedboxStats, RequestRecord } from '../index.ts'
import { aBox, aLedger, type Lines } from './ledger-events.ts'
import { type LedgerStandIn, type Script, until } from './ledger-stand-in.ts'
import { type Served, serve } from './served.ts'

/** A service whose responses wait for a scripted ledger. */
export interface HeldService extends Served {
  readonly box: Deedbox
  readonly ledger: LedgerStandIn
  readonly lines: Lines
  readonly records: RequestRecord[]
  /** Names and statuses of the events that the ledger has, once nothing waits any more. */
  events(): Promise<[name: string, status: number][]>
  held(): DeedboxStats['held']
}

/** Retries at once, so that no test waits for a pause. */
export const impatient: AuditOptions = { linger: 0, backoff: { base: 1, cap: 2 } }

/** Serves a handler of `node:http` under the given options. */
export async function heldService(
  t: TestContext,
  script: Script,
  audit: AuditOptions,
  handler: (request: IncomingMessage, response: ServerResponse, box: Deedbox) => unknown,
): Promise<HeldService> {
  const ledger = await aLedger(t, script)
  const { box, lines } = aBox(t, {
    ledger: { url: ledger.url, apiKey: 'key' },
    audit: { ...impatient, ...audit },
  })
  const records: RequestRecord[] = []
  box.onRecord(record => records.push(record))
  const served = await serve(
    t,
    observe(box)((request, response) => handler(request, response, box)),
  )
  return {
    ...served,
    box,
    ledger,
    lines,
    records,
    async events() {
      await until(() => box.stats().audit.queued === 0)
      await box.flush()
      return [...ledger.stored.values()].map(({ payload, meta }) => [
        String(meta.event_name),
        (JSON.parse(payload) as { metrics: { status_code: number } }).metrics.status_code,
      ])
    },
    held: () => box.stats().held,
  }
}

/** A connection that shows what has come so far. */
export interface Client {
  readonly received: () => string
  readonly isClosed: () => boolean
  write(bytes: string): void
  leave(): void
}

/** Opens a connection of its own. */
export function client(t: TestContext, port: number): Client {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  let text = ''
  let closed = false
  socket.setEncoding('latin1').on('error', () => undefined)
  socket.on('data', chunk => {
    text += chunk
  })
  socket.on('close', () => {
    closed = true
  })
  return {
    received: () => text,
    isClosed: () => closed,
    write: bytes => void socket.write(bytes),
    leave: () => void socket.destroy(),
  }
}

/** A request as bytes. */
export function get(path: string, ...headers: readonly string[]): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers.map(header => `${header}\r\n`).join('')}\r\n`
}

/** The bytes of answers without what differs each time. */
export function withoutChance(bytes: string): string {
  return bytes
    .replace(/(X-Processed-Time: )[\d.]+/gi, '$1…')
    .replace(/(X-Request-Id: )\S+/gi, '$1…')
    .replace(/(Date: )[^\r]+/gi, '$1…')
}

/** A ledger that answers once it is told to. */
export function waitingLedger(): { script: Script; answer: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return {
    script: async (call, _nth, ledger) => {
      await promise
      return ledger.keep(call)
    },
    answer: resolve,
  }
}
