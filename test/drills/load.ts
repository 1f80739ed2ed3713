import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { Agent, request } from 'node:http'

/** The API key of every drill's ledger, given to it as `DEEDBOX_BOOTSTRAP_KEY`. */
export const drillKey: string = `deed_live_${'k'.repeat(43)}`

/** An answer that says no. */
export class Refused extends Error {
  readonly status: number
  readonly reason: string

  constructor(status: number, body: string) {
    super(`${status} ${body}`)
    this.status = status
    this.reason = reasonOf(body)
  }
}

/**
 * Clients that send singles and batches without a pause, each event with an idempotency key of its own, and remember
 * of which it was promised that they are stored. What is refused for now is sent again under the same key; a client
 * whose ledger is gone waits until {@link Load.moved} tells where it is.
 */
export class Load {
  readonly sent: Set<string> = new Set()
  /** Payload → `tx_id`. */
  readonly acknowledged: Map<string, string> = new Map()
  /** By reason. */
  readonly refusals: Map<string, number> = new Map()
  readonly #urls: (string | undefined)[]
  readonly #name: string
  readonly #news = new EventEmitter()
  readonly #agent = new Agent({ keepAlive: true })
  #ending = false

  /** @param urls one per ledger process; the clients are spread over them */
  constructor(urls: readonly string[], name: string) {
    this.#urls = [...urls]
    this.#name = name
    this.#news.setMaxListeners(0)
  }

  /** Starts the clients. The function that it returns stops them and waits for what is under way. */
  start(clients: number): () => Promise<void> {
    this.#ending = false
    const round = this.sent.size
    const running = Promise.all(Array.from({ length: clients }, (_, client) => this.#run(client, round)))
    return async () => {
      this.#ending = true
      this.#news.emit('news')
      await running
      this.#agent.destroy()
    }
  }

  /** Waits until that many more are acknowledged. */
  async acknowledge(more: number): Promise<void> {
    const enough = this.acknowledged.size + more
    while (this.acknowledged.size < enough) await once(this.#news, 'news')
  }

  /** Waits for that many more refusals. */
  async refuse(more: number): Promise<void> {
    const count = () => [...this.refusals.values()].reduce((sum, n) => sum + n, 0)
    const enough = count() + more
    while (count() < enough) await once(this.#news, 'news')
  }

  /** Tells the clients of one process where it is now; undefined: nowhere. */
  moved(process: number, url: string | undefined): void {
    this.#urls[process] = url
    this.#news.emit('news')
  }

  async #run(client: number, round: number): Promise<void> {
    for (let n = 0; !this.#ending; n++) {
      const isBatch = n % 4 === 3
      const payloads = Array.from(
        { length: isBatch ? 10 : 1 },
        (_, i) => `${this.#name}-${round}-c${client}-${n}-${i}`,
      )
      for (const payload of payloads) this.sent.add(payload)
      while (!(await this.#try(client % Math.max(1, this.#urls.length), payloads, isBatch))) {
        if (this.#ending) return
      }
    }
  }

  /** @returns whether all of them are acknowledged */
  async #try(process: number, payloads: string[], isBatch: boolean): Promise<boolean> {
    const url = this.#urls[process]
    if (url === undefined) {
      if (this.#ending) return false
      await once(this.#news, 'news')
      return false
    }
    try {
      const txIds = await send(url, this.#agent, payloads, isBatch)
      for (const [i, txId] of txIds.entries()) this.acknowledged.set(payloads[i] ?? '', txId)
      return true
    } catch (error) {
      if (error instanceof Refused) {
        assert([503, 200].includes(error.status), error.message)
        this.refusals.set(error.reason, (this.refusals.get(error.reason) ?? 0) + 1)
      } else if (this.#urls[process] === url) this.#urls[process] = undefined
      return false
    } finally {
      this.#news.emit('news')
    }
  }
}

function reasonOf(body: string): string {
  return /"reason":"(\w+)"/.exec(body)?.[1] ?? 'unknown'
}

/** Sends one event, or a batch, and resolves to their ids; rejects with {@link Refused} or what the socket says. */
function send(url: string, agent: Agent, payloads: string[], isBatch: boolean): Promise<string[]> {
  const events = payloads.map(payload => ({
    payload,
    meta: { type: 'info', event_name: 'drill', service: 'drill' },
  }))
  const body = JSON.stringify(
    isBatch ? events.map((event, i) => ({ ...event, idempotency_key: payloads[i] })) : events[0],
  )
  return new Promise((resolve, reject) => {
    const call = request(
      `${url}/v1/events${isBatch ? '/batch' : ''}`,
      {
        agent,
        method: 'POST',
        headers: {
          authorization: `Bearer ${drillKey}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...(isBatch ? {} : { 'idempotency-key': payloads[0] }),
        },
      },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', data => {
          text += data
        })
        response.on('error', reject)
        response.on('end', () => {
          const status = response.statusCode ?? 0
          if (status !== 202 && status !== 200) return reject(new Refused(status, text))
          const answer = JSON.parse(text) as { tx_id: string; results?: { tx_id: string; ok: boolean }[] }
          const results = answer.results ?? [{ ...answer, ok: true }]
          if (results.every(result => result.ok)) resolve(results.map(result => result.tx_id))
          else reject(new Refused(status, text))
        })
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}

/** Payload → the ids under which it is stored. */
export async function storedEvents(url: string): Promise<Map<string, string[]>> {
  const stored = new Map<string, string[]>()
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${cursor}`
    const response = await fetch(`${url}/v1/events?service=drill&limit=500${query}`, {
      headers: { authorization: `Bearer ${drillKey}` },
    })
    const page = (await response.json()) as {
      events: { payload: string; tx_id: string }[]
      next_cursor: string | null
    }
    for (const { payload, tx_id } of page.events) stored.set(payload, [...(stored.get(payload) ?? []), tx_id])
    cursor = page.next_cursor
  } while (cursor !== null)
  return stored
}

/** Every acknowledged event is there under its id and once; nothing is there that nobody sent, or twice. */
export function assertKept({ sent, acknowledged }: Load, stored: Map<string, string[]>): void {
  for (const [payload, txId] of acknowledged) {
    assert.deepEqual(
      stored.get(payload),
      [txId],
      `${payload} was acknowledged, stored: ${stored.get(payload)}`,
    )
  }
  for (const [payload, txIds] of stored) {
    assert(sent.has(payload), `${payload} was never sent`)
    assert.equal(txIds.length, 1, `${payload} is stored more than once`)
  }
}
