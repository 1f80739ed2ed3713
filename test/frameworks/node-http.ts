import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Deedbox } from 'deedbox'
import { observe } from 'deedbox/http'
import type { FrameworkHarness, Stage } from './harness.ts'

/** Plain `node:http`: no router and no parser but what the service writes itself. */
export const nodeHttp: FrameworkHarness = {
  name: 'node:http',
  knowsRoutes: false,
  http2: true,
  answers: {
    methodNotAllowed: 404,
    options: 404,
    invalidUrl: 404,
    malformedJson: { status: 400, hasError: false },
    invalidBody: 400,
  },
  async start(box, stage, { attach }) {
    const watch = observe(box, { unhandled: 'answer' })
    const handler = (request: IncomingMessage, response: ServerResponse) =>
      route(box, stage, request, response)
    const server = createServer(attach === 'twice' ? watch(watch(handler)) : watch(handler))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      port: (server.address() as AddressInfo).port,
      async stop() {
        server.closeAllConnections()
        server.close()
        await once(server, 'close')
      },
    }
  },
}

async function route(
  box: Deedbox,
  stage: Stage,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?', 1)[0] ?? ''
  const json = (status: number, value: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
  if (path === '/ok' || path === '/health') return json(200, { ok: true })
  if (path === '/throw') throw new Error('sync failure')
  if (path === '/healthz') throw new Error('sick')
  if (path === '/throw-text') throw 'not an Error'
  if (path === '/hang') return stage.arrived(path)
  if (path === '/unread') return json(200, { ok: true })
  if (path === '/redirect') return void response.writeHead(302, { location: '/ok' }).end()
  if (path === '/reject') {
    await new Promise(setImmediate)
    throw new Error('async failure')
  }
  if (path === '/stream' || path === '/broken-stream') {
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.write('first')
    if (path === '/broken-stream') throw new Error('stream failure')
    return stage.arrived(path)
  }
  if (path === '/late') {
    json(200, { ok: true })
    await stage.mayFailLate
    throw new Error('late failure')
  }
  if (path === '/json') {
    let text = ''
    for await (const chunk of request) text += chunk
    try {
      return json(200, JSON.parse(text))
    } catch (error) {
      return json(400, { error: String(error) })
    }
  }
  if (path === '/listen') {
    request.on('data', () => undefined)
    request.on('end', () => {
      stage.inEndListener()
      box.log.info('body read')
      json(200, { ok: true })
    })
    return
  }
  if (/^\/orgs\/[^/]+\/items\/[^/]+$/.test(path)) return json(200, { ok: true })
  const named = /^\/named\/(\d+)$/.exec(path)
  if (named !== null) {
    const n = Number(named[1])
    box.event(`named.${n}`)
    box.set({ n })
    await new Promise(setImmediate)
    box.log.info(`in ${n}`)
    return json(200, { n: box.get('n') })
  }
  json(404, { error: 'not found' })
}
