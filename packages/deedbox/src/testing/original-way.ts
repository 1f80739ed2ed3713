import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Express, NextFunction, Request, Response } from 'express'

/** Where the original sends to, and how it warns. */
export interface OriginalSetup {
  readonly apiUrl: string
  readonly apiKey: string
  readonly warn: (text: string) => void
}

/**
 * What the original's middleware does wrong, and no more than that, so that a test of ours can be seen to fail: an
 * exception is emitted twice under one key, the key is the event's name and the client's id, a name that no header
 * holds loses the event, and no answer is ever looked at. (IF-29, IF-30, IF-31, IF-34, IF-35)
 * @returns what is called once the routes are there
 */
export function originalMiddleware(app: Express, setup: OriginalSetup): () => void {
  const ids = new WeakMap<object, string>()
  const emit = async (request: Request, status: number, thrown?: unknown): Promise<void> => {
    const id = ids.get(request) ?? ''
    const path = decodeURIComponent(request.path)
    const kind = status >= 400 ? 'error' : 'success'
    const error =
      thrown instanceof Error ? { exception: thrown.name, status_code: status } : { status_code: status }
    const payload = JSON.stringify({ id: randomUUID(), kind, request: { request_id: id, path }, error })
    const name = `http.${request.method}.${path}`
    const meta = { type: kind, event_name: name, service: 'original', request_id: id, env: 'production' }
    try {
      await post(setup, name, id, JSON.stringify({ payload, meta }))
    } catch (problem) {
      setup.warn(`ImmutableLogAudit _emit failed: ${String(problem)}`)
    }
  }
  app.use((request, response, next) => {
    ids.set(request, request.get('X-Request-Id') || randomUUID())
    response.once('finish', () => void emit(request, response.statusCode))
    next()
  })
  return () => {
    app.use((thrown: unknown, request: Request, response: Response, _next: NextFunction) => {
      response.once('finish', () => void emit(request, 500, thrown))
      response.status(500).end()
    })
  }
}

/** The original's retry: a new id and key for each attempt, and every failure is tried again. (IP-07, IP-08) */
export async function originalSendWithRetry(
  setup: OriginalSetup,
  name: string,
  payload: object,
  { maxRetries = 3, baseDelay = 0.5 }: { maxRetries?: number; baseDelay?: number } = {},
): Promise<unknown> {
  for (let attempt = 0; attempt < maxRetries; attempt++) {
    try {
      const id = randomUUID()
      const meta = { type: 'info', event_name: name, service: 'original', request_id: id, env: 'production' }
      const body = JSON.stringify({ payload: JSON.stringify(payload), meta })
      const response = await post(setup, name, id, body)
      if (response.status === 429) return undefined
      if (!response.ok) throw new Error(`status ${response.status}`)
      return await response.json()
    } catch (error) {
      setup.warn(String(error))
      if (attempt < maxRetries - 1) await sleep(baseDelay * 2 ** attempt * 1000)
    }
  }
  return undefined
}

function post(
  { apiUrl, apiKey }: OriginalSetup,
  name: string,
  id: string,
  body: string,
): Promise<globalThis.Response> {
  return fetch(`${apiUrl}/v1/events`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${apiKey}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': `${name}-${id}`,
      'Request-Id': id,
    },
    body,
    signal: AbortSignal.timeout(5_000),
  })
}
