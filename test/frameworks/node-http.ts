import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { type Deedbox, tracked } from 'deedbox'
import { health, observe } from 'deedbox/http'
import { gate } from './gate.ts'
import type { FrameworkHarness, Stage } from './harness.ts'
import { listening } from './listening.ts'

/** Plain `node:http`: no router, no parser and no error handling but what the service writes itself. */
export const nodeHttp: FrameworkHarness = {
  name: 'node:http',
  knowsRoutes: false,
  http2: true,
  answers: {
    methodNotAllowed: 405,
    options: 405,
    invalidUrl: 200,
    malformedJson: { status: 400, hasError: true },
    invalidBody: 400,
  },
  trackedForms: ['before', 'around'],
  async start(box, stage, options) {
    const watch = observe(box, {
      user: request => String(request.headers['x-user'] ?? ''),
      unhandled: 'answer',
      validation: options.answers ? 'answer' : 'leave',
    })
    const trackedAt = trackedRoutes(box, stage)
    const endpoints = options.health && health(box, options.health.options)
    const service = (request: IncomingMessage, response: ServerResponse) =>
      trackedAt(request.url)?.(request, response) ?? route(box, stage, request, response, options.answers)
    const guarded = endpoints === undefined ? service : gated(service)
    const handler = endpoints === undefined || options.health?.first ? guarded : endpoints(guarded)
    let observed = options.attach === 'late' ? caught(handler) : watch(handler)
    if (options.attach === 'twice') observed = watch(observed)
    if (endpoints !== undefined && options.health?.first) observed = endpoints(observed)
    const server = options.http2 ? createHttp2Server(observed as never) : createServer(observed)
    return listening(server, box, options)
  },
}

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

function gated(handler: Handler): Handler {
  return (request, response) => {
    const answer = gate(request.headers)
    if (answer === undefined) return handler(request, response)
    return response.writeHead(answer.status, answer.headers).end()
  }
}

/** Finds the handler of a tracked route. */
function trackedRoutes(box: Deedbox, stage: Stage): (url: string | undefined) => Handler | undefined {
  const handlers = new Map<string | undefined, Handler>()
  for (const [name, { input, work }] of stage.tracked) {
    const handler = async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const answer = await work()
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    }
    const before = tracked(input)
    handlers.set(`/tracked/${name}/before`, async (request, response) => {
      await new Promise<void>(next => before(request, response, next))
      await handler(request, response)
    })
    handlers.set(`/tracked/${name}/around`, box.tracked(input, handler))
  }
  return url => handlers.get(url)
}

/** What a service does about its own errors when nobody else does. */
function caught(handler: Handler): Handler {
  return async (request, response) => {
    try {
      await handler(request, response)
    } catch {
      response.writeHead(500).end()
    }
  }
}

async function route(
  box: Deedbox,
  stage: Stage,
  request: IncomingMessage,
  response: ServerResponse,
  answers: boolean,
): Promise<void> {
  const path = request.url?.split('?', 1)[0] ?? ''
  const json = (status: number, value: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
  const { method } = request
  if (path === '/before') throw new Error('failure before')
  if (path === '/ok' || path === '/health') {
    return method === 'GET' || method === 'HEAD' ? json(200, { ok: true }) : json(405, {})
  }
  if (path === '/empty') return void response.writeHead(204).end()
  if (path === '/throw') throw new Error('sync failure')
  if (path === '/healthz') throw new Error('sick')
  if (path === '/throw-text') throw 'not an Error'
  if (path === '/hostile') throw stage.hostileError()
  if (path === '/hang') return stage.arrived(path)
  if (path === '/unread') return json(200, { ok: true })
  if (path === '/redirect') return void response.writeHead(302, { location: '/ok' }).end()
  if (path === '/reject' || path === '/after') {
    await turn()
    throw new Error(path === '/after' ? 'failure after' : 'async failure')
  }
  if (path === '/slow') {
    stage.arrived(path)
    await stage.mayAnswer
    return json(200, { ok: true })
  }
  if (path === '/late') {
    json(200, { ok: true })
    await stage.mayFailLate
    throw new Error('late failure')
  }
  if (method === 'POST') return bodies(box, stage, request, path, json, answers)
  if (/^\/orgs\/[^/]+\/items\/[^/]+$/.test(path)) return json(200, { ok: true })
  const wander = /^\/wander\/(\d+)$/.exec(path)
  if (wander !== null) {
    await stage.wander(Number(wander[1]))
    return json(200, { ok: true })
  }
  const named = /^\/named\/(\d+)$/.exec(path)
  if (named !== null) {
    const n = Number(named[1])
    box.event(`named.${n}`)
    box.set({ n })
    await turn()
    box.log.info(`in ${n}`)
    return json(200, { n: box.get('n') })
  }
  if (!(await streams(stage, response, path))) json(404, { error: 'not found' })
}

async function bodies(
  box: Deedbox,
  stage: Stage,
  request: IncomingMessage,
  path: string,
  json: (status: number, value: unknown) => void,
  answers: boolean,
): Promise<void> {
  if (path === '/upload') {
    stage.arrived(path)
    return json(200, { length: await stage.receive(request) })
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
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request) text += chunk
  try {
    const value = JSON.parse(text)
    if (path === '/validated' && !Number.isInteger(value.a)) {
      const errors = [{ instancePath: '/a', message: 'must be integer' }]
      throw Object.assign(new Error('validation failed'), { ajv: true, errors })
    }
    json(200, value)
  } catch (error) {
    if (answers) throw error
    // What a service of node:http does that answers itself, and wants the error on the record.
    box.current()?.fail(error)
    json(400, { error: 'bad request' })
  }
}

async function streams(stage: Stage, response: ServerResponse, path: string): Promise<boolean> {
  if (path === '/stream' || path === '/broken-stream') {
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.write('first')
    if (path === '/broken-stream') throw new Error('stream failure')
    stage.arrived(path)
    return true
  }
  if (path === '/piped') {
    Readable.from(Array.from({ length: 16 }, () => Buffer.alloc(65_536, 'x'))).pipe(response)
    return true
  }
  if (path !== '/sse') return false
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const n of [1, 2, 3]) {
    response.write(`data: ${n}\n\n`)
    await turn()
  }
  response.end()
  return true
}
