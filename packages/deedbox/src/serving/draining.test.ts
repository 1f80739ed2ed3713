import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { type Child, startChild } from '../testing/ledger-child.ts'
import { aLedger } from '../testing/ledger-events.ts'
import { keepAll, type LedgerStandIn } from '../testing/ledger-stand-in.ts'

interface Answer {
  readonly status: number
  readonly connection: string | undefined
  readonly body: string
}

interface Service {
  readonly ledger: LedgerStandIn
  readonly child: Child
  get(path: string, agent?: Agent): Promise<Answer>
  /** The status of a path, or `refused`. */
  state(path: string): Promise<number | 'refused'>
}

async function aService(
  t: TestContext,
  variables: Readonly<Record<string, string>> = {},
  inside: readonly string[] = [],
): Promise<Service> {
  const ledger = await aLedger(t, keepAll)
  const env = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: 'test-key', ...variables }
  const child = startChild('listening-service.ts', env, { channel: 'ipc', inside })
  t.after(() => child.process.kill('SIGKILL'))
  await child.said('port ')
  const port = Number(/^port (\d+)$/m.exec(child.output())?.[1])
  const get: Service['get'] = async (path, agent) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: agent ?? false }).end()
    const [response] = await once(sent, 'response')
    return {
      status: response.statusCode,
      connection: response.headers.connection,
      body: await text(response),
    }
  }
  const state: Service['state'] = async path => {
    try {
      return (await get(path)).status
    } catch {
      return 'refused'
    }
  }
  return { ledger, child, get, state }
}

/** Of the requests that have an audit event. */
function pathsOf(ledger: LedgerStandIn): string[] {
  return [...ledger.stored.values()].map(({ payload }) => JSON.parse(String(payload)).request?.path)
}

const views = ['/__lbheartbeat__', '/__readiness__', '/__heartbeat__']

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`gap 17 ruling 28 DF-06 X-18 ${signal}: not ready at once, alive until the listener closes, then ended by it`, async t => {
    const { child, state, get } = await aService(t, { DELAY: '600000' })
    const now = (): Promise<(number | string)[]> => Promise.all(views.map(state))
    assert.deepEqual(await now(), [200, 200, 200])
    child.process.kill(signal)
    await child.said('"draining"')
    assert.deepEqual(await now(), [200, 500, 500])
    // A client that would keep its connection, as balancers do.
    const agent = new Agent({ keepAlive: true })
    const late = await get('/orders/late', agent)
    agent.destroy()
    assert.deepEqual(late, { status: 200, connection: 'close', body: 'ok' })
    assert.match(child.output(), /^goodbye$/m)
    assert.doesNotMatch(child.output(), /^drained$/m)
    const seen = new Set([(await now()).join()])
    child.process.send('delay over')
    while (!seen.has('refused,refused,refused')) {
      const states = await now()
      // The listener may close between two of the three calls.
      if (new Set(states.map(each => each === 'refused')).size === 1) seen.add(states.join())
    }
    assert.deepEqual([...seen].sort(), ['200,500,500', 'refused,refused,refused'])
    assert.deepEqual(await child.ended, { code: null, signal })
    assert.match(child.output(), /^drained$/m)
  })
}

test('gap 17 IF-37 SIGTERM under load behind a balancer loses no request and no audit event', async t => {
  const { ledger, child, get, state } = await aService(t, { DELAY: '600000' })
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  t.after(() => agent.destroy())
  let isReady = true
  let sent = 0
  let answered = 0
  const client = async (): Promise<void> => {
    while (isReady) {
      assert.equal((await get(`/orders/${sent++}`, agent)).status, 200)
      if (++answered === 200) child.process.kill('SIGTERM')
    }
  }
  const balancer = async (): Promise<void> => {
    while ((await state('/__readiness__')) === 200);
    const before = answered
    // It takes a while until each part of a balancer knows.
    while (answered < before + 50) await state('/__lbheartbeat__')
    isReady = false
  }
  await Promise.all([balancer(), ...Array.from({ length: 8 }, client)])
  child.process.send('delay over')
  assert.deepEqual(await child.ended, { code: null, signal: 'SIGTERM' })
  assert(answered >= 250)
  const paths = pathsOf(ledger).filter(path => path.startsWith('/orders/'))
  assert.equal(new Set(paths).size, answered)
})

test('gap 17 a request under way is answered after the listener has closed, and its event delivered', async t => {
  const { ledger, child, get, state } = await aService(t)
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const held = get('/held', agent)
  await child.said('holding')
  child.process.kill('SIGTERM')
  while ((await state('/__lbheartbeat__')) !== 'refused');
  child.process.send('go on')
  assert.deepEqual(await held, { status: 200, connection: 'close', body: 'held' })
  assert.deepEqual(await child.ended, { code: null, signal: 'SIGTERM' })
  assert.deepEqual(pathsOf(ledger), ['/held'])
})

test('gap 17 requests that take longer than the drain may are broken off, which is said', async t => {
  const { child, get } = await aService(t, { TIMEOUT: '50' })
  const held = get('/held')
  await child.said('holding')
  child.process.kill('SIGTERM')
  await assert.rejects(held, { code: 'ECONNRESET' })
  assert.deepEqual(await child.ended, { code: null, signal: 'SIGTERM' })
  assert.match(child.output(), /"WARNING".*requests were broken off.*"requests":1/)
})

test('gap 17 a signal that is passed on by a parent as well is one signal', async t => {
  const { ledger, child, get } = await aService(t, { CLOCK: 'still' })
  const held = get('/held')
  await child.said('holding')
  child.process.kill('SIGTERM')
  child.process.kill('SIGINT')
  await child.said('"draining"')
  child.process.kill('SIGTERM')
  assert.equal((await get('/orders/1').catch(error => error)).code, 'ECONNREFUSED')
  child.process.send('go on')
  assert.equal((await held).body, 'held')
  const { signal } = await child.ended
  assert.match(String(signal), /^SIG(TERM|INT)$/)
  assert.deepEqual(pathsOf(ledger), ['/held'])
})

for (const [fixture, begun, drained] of [
  ['listening-service.ts', 'port ', 'drained'],
  ['ledger-serve.ts', 'answered', 'answered'],
] as const) {
  test(`gap 17 IF-37 a signal that comes once more while what waits is delivered does not end that: ${fixture}`, async t => {
    const ledger = await aLedger(t, keepAll)
    const env = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: 'test-key', DURABILITY: 'memory', CLOCK: 'still' }
    const child = startChild(fixture, env, { channel: 'ipc' })
    t.after(() => child.process.kill('SIGKILL'))
    await child.said(begun)
    const port = /^port (\d+)$/m.exec(child.output())?.[1]
    if (port !== undefined) await fetch(`http://127.0.0.1:${port}/orders/1`)
    let calls = 0
    ledger.follow(async call => {
      if (++calls > 1) return ledger.keep(call)
      await child.said(drained)
      child.process.kill('SIGINT')
      try {
        // The first answer may be ahead of the signal, the second one is behind it.
        for (const question of ['first', 'second']) {
          child.process.send(question)
          await child.said(`still here: ${question}`)
        }
      } catch {
        return 'cut'
      }
      return ledger.keep(call)
    })
    child.process.kill('SIGINT')
    assert.deepEqual(await child.ended, { code: null, signal: 'SIGINT' })
    assert.equal(ledger.stored.size, port === undefined ? 100 : 1)
  })
}

test('gap 17 a second signal ends at once what the first one waits for', async t => {
  const { ledger, child, get } = await aService(t, { DELAY: '600000', TIMEOUT: '600000' })
  await get('/orders/1')
  const held = get('/held')
  await child.said('holding')
  // The first two are one that was passed on; the one that ends it is whichever is late enough.
  const impatience = setInterval(() => child.process.kill('SIGTERM'), 100)
  t.after(() => clearInterval(impatience))
  const broken = assert.rejects(held, { code: 'ECONNRESET' })
  await child.said('requests were broken off')
  clearInterval(impatience)
  await broken
  assert.deepEqual(await child.ended, { code: null, signal: 'SIGTERM' })
  assert.deepEqual(pathsOf(ledger), ['/orders/1', '/held'])
})

test('gap 17 a listener of the service that does not end the process holds it up no longer than the drain takes', async t => {
  const { ledger, child, get } = await aService(t, { HANDLER: 'idle', TIMEOUT: '1500' })
  await get('/orders/1')
  child.process.kill('SIGTERM')
  await child.said('drained, but other listeners to the signal hold the process up')
  assert.match(child.output(), /^heard$/m)
  assert.match(child.output(), /"WARNING".*hold the process up.*"listeners":1/)
  assert.deepEqual(await child.ended, { code: null, signal: 'SIGTERM' })
  assert.deepEqual(pathsOf(ledger), ['/orders/1'])
})

test('gap 17 a listener of the service that raises the signal again is waited for, and loses nothing', async t => {
  const { ledger, child, get } = await aService(t, { HANDLER: 'again', TIMEOUT: '600000' })
  await get('/orders/1')
  child.process.kill('SIGTERM')
  await child.said('hold the process up')
  child.process.send('end')
  assert.deepEqual(await child.ended, { code: null, signal: 'SIGTERM' })
  assert.deepEqual(pathsOf(ledger), ['/orders/1'])
})

const asFirst = ['unshare', '--pid', '--fork', '--kill-child']
const canBeFirst = spawnSync(asFirst[0] ?? '', [...asFirst.slice(1), 'true']).status === 0

test('gap 17 as the first process of a container, where the system ignores its signal, it ends with code 0', {
  skip: canBeFirst ? false : 'this process may not make a namespace of processes',
}, async t => {
  const { ledger, child, get } = await aService(t, {}, asFirst)
  await get('/orders/1')
  const { pid } = child.process
  process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')), 'SIGTERM')
  assert.deepEqual(await child.ended, { code: 0, signal: null })
  assert.deepEqual(pathsOf(ledger), ['/orders/1'])
})
