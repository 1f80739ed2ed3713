import { EventEmitter, once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

/** One answered request. */
export interface Answered {
  readonly status: number
  /** Milliseconds that the answer took. */
  readonly took: number
  /** When it came, by `performance.now()`. */
  readonly at: number
}

/**
 * Clients of a service, each on a connection of its own: every request has an id of its own, and of each it is
 * remembered whether it was answered. Clients of a service that is gone wait until {@link Callers.moved} says where it
 * is.
 */
export class Callers {
  /** Ids of all requests that were begun, answered or not. */
  readonly sent: Set<string> = new Set()
  readonly answered: Map<string, Answered> = new Map()
  readonly #news = new EventEmitter().setMaxListeners(0)
  readonly #pace: number
  #url: string | undefined
  #begun = 0
  #ending = false

  /** @param pace milliseconds that each client waits between an answer and its next request */
  constructor(url: string, pace: number) {
    this.#url = url
    this.#pace = pace
  }

  /** Starts the clients. The function that it returns stops them and waits for what is under way. */
  start(clients: number): () => Promise<void> {
    this.#ending = false
    const running = Promise.all(Array.from({ length: clients }, () => this.#run()))
    return async () => {
      this.#ending = true
      this.#news.emit('news')
      await running
    }
  }

  /** Waits for that many more answers. */
  async answers(more: number): Promise<void> {
    const enough = this.answered.size + more
    while (this.answered.size < enough) await once(this.#news, 'news')
  }

  /** Tells where the service is now; `undefined`: nowhere. */
  moved(url: string | undefined): void {
    this.#url = url
    this.#news.emit('news')
  }

  /** The ids that were answered with the given status. */
  withStatus(status: number): string[] {
    return [...this.answered].filter(([, answer]) => answer.status === status).map(([id]) => id)
  }

  /** The time, in milliseconds, within which so many per cent of the answers since then came. */
  percentile(percent: number, since: number = 0): number {
    const took = [...this.answered.values()].filter(({ at }) => at >= since).map(answer => answer.took)
    took.sort((a, b) => a - b)
    return took[Math.min(took.length - 1, Math.floor((took.length * percent) / 100))] ?? 0
  }

  async #run(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!this.#ending) {
      const url = this.#url
      if (url === undefined) {
        await once(this.#news, 'news')
        continue
      }
      const id = `drill-${++this.#begun}`
      this.sent.add(id)
      const began = performance.now()
      try {
        const status = await call(url, agent, id)
        const at = performance.now()
        this.answered.set(id, { status, took: at - began, at })
      } catch {
        // The service is gone, or its worker: a client tries again, as another request.
        if (this.#url === url) await pause(1)
      }
      this.#news.emit('news')
      if (this.#pace > 0) await pause(this.#pace)
    }
    agent.destroy()
  }
}

/** A connection that a cluster hands to a worker which dies at that moment is never answered, and never closed. Milliseconds. */
const patience = 3_000

function call(url: string, agent: Agent, id: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${url}/orders`,
      { method: 'POST', agent, headers: { 'X-Request-Id': id } },
      answer => {
        answer.resume()
        answer.on('error', reject)
        answer.on('end', () => resolve(answer.statusCode ?? 0))
      },
    )
    call.on('error', reject)
    call.setTimeout(patience, () => call.destroy(new Error('no answer')))
    call.end()
  })
}
