import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, type RequestListener, request, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Deedbox, deedbox } from 'deedbox'
import { health as healthOnExpress } from 'deedbox/express'
import { health as healthOnFastify } from 'deedbox/fastify'
import { check, type HealthOptions } from 'deedbox/health'
import { health as healthOnHttp } from 'deedbox/http'
import express from 'express'
import { fastify } from 'fastify'

/** What a service of this test may keep; `health()` takes an instance whatever its variables. */
interface Kept {
  user_id: string
}

type Serving = (box: Deedbox<Kept>, options: HealthOptions) => Promise<Server>

const frameworks: Record<string, Serving> = {
  async 'Express 5'(box, options) {
    const app = express()
    app.use(healthOnExpress(box, options))
    return createServer(app)
  },
  async 'Fastify 5'(box, options) {
    const app = fastify()
    await app.register(healthOnFastify(box, options))
    await app.ready()
    return app.server
  },
  async 'node:http'(box, options) {
    const handler: RequestListener = (_request, response) => void response.writeHead(404).end()
    return createServer(healthOnHttp(box, options)(handler))
  },
}

/** Serves; `ask` resolves to the status of an answer, over at most a hundred connections. */
async function serve(
  t: TestContext,
  serving: Serving,
  options: HealthOptions,
): Promise<(path: string) => Promise<number | undefined>> {
  const box = deedbox<Kept>({ service: 'shop', ledger: null, log: { sink: () => undefined } })
  const server = await serving(box, { ownChecks: false, ...options })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = new Agent({ keepAlive: true, maxSockets: 100 })
  t.after(async () => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
    await box.close()
  })
  const { port } = server.address() as AddressInfo
  return async path => {
    const asked = request({ port, host: '127.0.0.1', path, agent }).end()
    const [answer] = await once(asked, 'response')
    answer.resume()
    await once(answer, 'end')
    return answer.statusCode
  }
}

const times = (count: number): unknown[] => Array.from({ length: count })

for (const [name, serving] of Object.entries(frameworks)) {
  test(`DF-13 ${name}: a thousand heartbeats at once, of both views, never run more than one round of checks at a time`, async t => {
    let running = 0
    let most = 0
    let rounds = 0
    const ask = await serve(t, serving, {
      cache: 0,
      checks: [
        check('counted', async () => {
          rounds++
          most = Math.max(most, ++running)
          await new Promise(setImmediate)
          running--
          return []
        }),
      ],
    })
    const asked = times(1_000).map((_, n) => ask(n % 2 === 0 ? '/__heartbeat__' : '/__readiness__'))
    const statuses = await Promise.all(asked)
    assert.deepEqual([...new Set(statuses)], [200])
    assert.equal(most, 1)
    assert(rounds > 0 && rounds < 1_000, `${rounds} rounds`)

    const before = rounds
    await ask('/__heartbeat__')
    assert.equal(rounds, before + 1, 'the next one that comes alone has a round of its own')
  })

  test(`DF-06 DF-13 ${name}: while a dependency hangs, under load, __lbheartbeat__ answers, and the dependency is asked once`, async t => {
    const hole = await blackHole(t)
    const ask = await serve(t, serving, {
      cache: 0,
      timeout: 600_000,
      deadline: 600_000,
      checks: [check('black_hole', () => answerOf(hole.port))],
    })
    let answered = 0
    const held = times(60).map(() => ask('/__heartbeat__').finally(() => answered++))
    await hole.asked
    // More than there are connections left: they queue, and go on only where none is held up.
    const alive = await Promise.all(times(1_000).map(() => ask('/__lbheartbeat__')))
    assert.deepEqual([...new Set(alive)], [200])
    assert.deepEqual([answered, hole.connections()], [0, 1], 'all this while the check was held')

    hole.release()
    assert.deepEqual([...new Set(await Promise.all(held))], [500])
    assert.equal(hole.connections(), 1)
  })
}

/** Connects, and waits for an answer; fails when the connection does. */
async function answerOf(port: number): Promise<[]> {
  const socket = connect(port, '127.0.0.1')
  socket.write('PING\r\n')
  socket.once('end', () => socket.destroy(new Error('The connection was closed')))
  await once(socket, 'data')
  return []
}

/** A port that takes connections, and answers nothing. */
async function blackHole(t: TestContext): Promise<{
  readonly port: number
  readonly asked: Promise<unknown>
  connections(): number
  release(): void
}> {
  const sockets: Socket[] = []
  const server = createTcpServer(socket => {
    socket.on('error', () => undefined)
    sockets.push(socket)
  }).listen(0, '127.0.0.1')
  const asked = once(server, 'connection')
  await once(server, 'listening')
  const release = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  t.after(() => {
    release()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, asked, connections: () => sockets.length, release }
}
