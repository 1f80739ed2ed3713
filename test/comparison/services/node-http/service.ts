import type { IncomingMessage, ServerResponse } from 'node:http'
import { clientLeaves, failure } from '../service.ts'

/** The handler of a plain service: what it does not expect, it throws. */
export async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/ok') return answer(response, 200, { ok: true })
  if (request.url === '/throw') throw new Error(failure)
  if (request.url === '/leave') {
    await clientLeaves(response)
    return answer(response, 200, { ok: true })
  }
  if (request.url === '/json') {
    let text = ''
    for await (const chunk of request) text += chunk
    try {
      return answer(response, 200, JSON.parse(text))
    } catch {
      return answer(response, 400, { error: 'That is no JSON.' })
    }
  }
  if (request.url === '/stream') {
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.write('first')
    await clientLeaves(response)
    response.end('last')
    return
  }
  answer(response, 404, { error: 'not found' })
}

/** The answer to what was thrown, for libraries that leave it to the service. */
export function answerFailure(response: ServerResponse): void {
  answer(response, 500, { error: 'internal server error' })
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
