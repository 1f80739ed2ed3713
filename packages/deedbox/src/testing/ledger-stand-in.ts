import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'

/** One event as it came over the wire. */
export interface ReceivedItem {
  readonly payload: string
  readonly meta: Record<string, unknown>
  readonly key: string
}

/** One call as it came over the wire. */
export interface ReceivedCall {
  readonly path: string
  readonly method: string
  /** Names in lower case, values as the parser read them. */
  readonly headers: Readonly<Record<string, string>>
  /** Names and values as they stood on the wire, alternating. */
  readonly rawHeaders: readonly string[]
  readonly body: string
  readonly items: readonly ReceivedItem[]
}

/** What a script has the stand-in do: answer, never answer, or cut the connection. */
export type Deed =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | 'never'
  | 'cut'

/** Decides about the n-th call (from 1). */
export type Script = (call: ReceivedCall, nth: number, ledger: LedgerStandIn) => Deed | Promise<Deed>

/**
 * A stand-in for a ledger: a real server on 127.0.0.1 that keeps what it is told to keep, by idempotency key, and
 * answers as the test's script says.
 */
export class LedgerStandIn {
  readonly calls: ReceivedCall[] = []
  /** What is kept, in order, each key once. */
  readonly stored: Map<string, ReceivedItem> = new Map()
  /** Bodies of `POST /v1/producers`, which no script sees. */
  readonly announcements: Record<string, unknown>[] = []
  /** What is answered to announcements; by default the call is unknown here. */
  announcing: Exclude<Deed, string> = { status: 404, body: { ok: false, reason: 'unknown_route' } }
  url = ''
  mostAtOnce = 0
  #atOnce = 0
  #script: Script
  readonly #server: Server

  constructor(script: Script) {
    this.#script = script
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  /** From now on, another script. */
  follow(script: Script): void {
    this.#script = script
  }

  /** Keeps the call's events and gives the answer of a ledger that took them. */
  keep(call: ReceivedCall): Deed {
    const results = call.items.map(item => {
      const duplicate = this.stored.has(item.key)
      if (!duplicate) this.stored.set(item.key, item)
      return {
        ok: true,
        status: 'accepted',
        tx_id: `tx-${item.key}`,
        payload_hash: 'ab'.repeat(32),
        duplicate,
        request_id: String(item.meta.request_id),
      }
    })
    return isBatch(call) ? { status: 200, body: { ok: true, results } } : { status: 202, body: results[0] }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #hear(body: string): Deed {
    this.announcements.push(JSON.parse(body) as Record<string, unknown>)
    return this.announcing
  }

  async #decide(request: IncomingMessage, body: string): Promise<Deed> {
    const call = read(request, body)
    this.calls.push(call)
    return this.#script(call, this.calls.length, this)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce)
    response.once('close', () => this.#atOnce--)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    const deed = request.url === '/v1/producers' ? this.#hear(body) : await this.#decide(request, body)
    if (deed === 'cut') response.destroy()
    else if (deed !== 'never') {
      response.writeHead(deed.status, { 'Content-Type': 'application/json', ...deed.headers })
      response.end(typeof deed.body === 'string' ? deed.body : JSON.stringify(deed.body ?? {}))
    }
  }
}

/** Keeps everything. */
export const keepAll: Script = (call, _nth, ledger) => ledger.keep(call)

/** Knows no batch call; keeps single posts. */
export const singlePostsOnly: Script = (call, _nth, ledger) =>
  isBatch(call) ? { status: 404, body: { ok: false, reason: 'not_found' } } : ledger.keep(call)

/** Resolves once the condition holds; rejects when it does not within ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const last = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > last) throw new Error(`never came true: ${String(condition)}`)
    await setImmediate()
  }
}

/** Whether the call is `POST /v1/events/batch`. */
export function isBatch(call: ReceivedCall): boolean {
  return call.path === '/v1/events/batch'
}

function read(request: IncomingMessage, body: string): ReceivedCall {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  )
  const path = request.url ?? ''
  const parsed = JSON.parse(body) as Record<string, unknown> | Record<string, unknown>[]
  const items = (Array.isArray(parsed) ? parsed : [parsed]).map(item => ({
    payload: String(item.payload),
    meta: item.meta as Record<string, unknown>,
    key: String(Array.isArray(parsed) ? item.idempotency_key : headers['idempotency-key']),
  }))
  return { path, method: request.method ?? '', headers, rawHeaders: request.rawHeaders, body, items }
}
