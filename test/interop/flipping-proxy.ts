import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/**
 * Serves what `upstream` serves, except that one bit of one resource is another.
 *
 * @param upstream scheme and authority, such as `http://127.0.0.1:8000`
 * @param path the resource, as the client asks for it
 * @param at which byte, from 0
 * @returns the proxy's scheme and authority
 */
export async function flippingProxy(
  t: TestContext,
  upstream: string,
  path: string,
  at: number,
): Promise<{ url: string; flips(): number }> {
  let flips = 0
  const server = createServer(async (request, response) => {
    const answer = await fetch(`${upstream}${request.url}`)
    const body = Buffer.from(await answer.arrayBuffer())
    if (request.url === path && at < body.length) {
      body[at]! ^= 1
      flips++
    }
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, flips: () => flips }
}
