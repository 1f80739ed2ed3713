import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a service says to the process that plays requests against it. */
export type Said = { readonly port: number } | 'arrived'

/** The message of the error that `GET /throw` throws. */
export const failure = 'the till is jammed'

/** Called by a handler that is at work: the client leaves now. Resolves once the server has seen it go. */
export async function clientLeaves(response: ServerResponse): Promise<void> {
  const left = once(response, 'close')
  say('arrived')
  await left
}

/** The answer of `GET /stream`, for frameworks that take something to read from: the client leaves between the two. */
export async function* halfAnAnswer(response: ServerResponse): AsyncGenerator<string, void, undefined> {
  yield 'first'
  await clientLeaves(response)
  yield 'last'
}

/**
 * Says on which port the service listens, and ends it when it is told to: by letting go of everything, so that
 * what a library has buffered is written as at any natural end.
 */
export async function serve(server: Server, end?: () => Promise<unknown>): Promise<void> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  process.on('message', async () => {
    server.close()
    await once(server, 'close')
    await end?.()
    process.disconnect()
  })
  say({ port: (server.address() as AddressInfo).port })
}

function say(said: Said): void {
  process.send?.(said)
}
