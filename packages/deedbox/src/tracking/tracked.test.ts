import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { Tracked } from '../frameworks/nest.ts'
import { attachServer, observe } from '../frameworks/node-http.ts'
import { ConfigurationError, type DeedboxOptions, deedbox, tracked } from '../index.ts'
import { captureLog } from '../testing/captured-log.ts'
import { recordingChest } from '../testing/recording-chest.ts'
import { serve } from '../testing/served.ts'
import { ChestError } from './index.ts'

/** A request on a connection of its own. */
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`

test('FC-01 outside its requests tracked() only says so, once, and the function runs', async t => {
  const chest = recordingChest('chest')
  const [{ box, lines }, { box: other, lines: others }] = [captureLog(), captureLog({ chests: [chest] })]
  t.after(() => Promise.all([box.close(), other.close()]))
  const self = {
    base: 1,
    add: tracked({ chests: [chest], raise: true }, function (this: { base: number }, n: number) {
      return this.base + n
    }),
  }
  assert.equal(self.add(2), 3)
  assert.equal(self.add(3), 4)
  let passed = 0
  tracked()({}, {}, () => passed++)
  await tracked({ await: true })({}, async () => passed++)
  assert.equal(passed, 2)
  const ofOther = other.tracked(['a'], () => 'done')
  assert.equal(
    box.run({ name: 'job' }, () => {
      box.set({ a: 1 })
      return ofOther()
    }),
    'done',
  )
  const told = (all: readonly Record<string, unknown>[]): unknown[] =>
    all.filter(({ notice }) => notice === 'no_request').map(({ level, message }) => [level, message])
  const said = ['WARNING', 'tracked() was called outside a request and did nothing; run() gives jobs a scope']
  assert.deepEqual(told(await lines()), [said])
  assert.deepEqual(told(await others()), [said])
  assert.deepEqual(chest.entries, [])
})

test('FC-01 a rule that is met twice writes once, and each of several rules writes', async t => {
  const [one, other] = [recordingChest('one'), recordingChest('other')]
  const { box, recorded } = captureLog({ chests: [one] })
  t.after(() => box.close())
  const twice = tracked(['a'])
  const all = box.tracked({ chests: [one, other], vars: ['a', 'b'] })
  const { raw } = await serve(
    t,
    observe(box)((request, response) => {
      twice(request, response, () =>
        twice(request, response, () =>
          all(request, response, () => {
            box.set({ a: 1, b: 2 })
            response.end()
          }),
        ),
      )
    }),
  )
  await raw(get('/'))
  await recorded(1)
  await box.flush()
  assert.deepEqual(
    one.entries.map(({ name }) => name),
    ['a', 'a', 'b'],
  )
  assert.equal(new Set(one.entries.map(({ id }) => id)).size, 3)
  assert.deepEqual(
    other.entries.map(({ name }) => name),
    ['a', 'b'],
  )
})

test('FC-13 FC-14 a wrapped function is the function in all that can be asked of it', () => {
  async function handle(_request: object, _response: object): Promise<void> {}
  const wrapped = tracked({ raise: true }, Object.assign(handle, { schema: { a: 1 } }))
  assert.deepEqual([wrapped.name, wrapped.length, wrapped.schema], ['handle', 2, { a: 1 }])
  assert.equal(Object.prototype.toString.call(wrapped), '[object AsyncFunction]')
  assert.equal(tracked().length, 3)
})

test('FC-14 the decorator has both dialects, keeps this, and stands above methods only', async t => {
  const chest = recordingChest('chest')
  const { box } = captureLog({ chests: [chest] })
  t.after(() => box.close())
  function pay(this: { who: string }, total: number): string {
    box.set({ total })
    return this.who
  }
  const context = { kind: 'method', name: 'pay', static: false, private: false, addInitializer() {} } as const
  const standard = Tracked(['total'])(pay, context)
  const legacy = Tracked(['total'])({}, 'pay', { value: pay, configurable: true })
  assert.equal(legacy.configurable, true)
  for (const method of [standard, legacy.value!])
    box.run({ name: 'job' }, () => assert.equal(method.call({ who: 'ann' }, 9), 'ann'))
  await box.flush()
  assert.deepEqual(
    chest.entries.map(({ name, value }) => [name, value]),
    [
      ['total', 9],
      ['total', 9],
    ],
  )
  const field = { get: () => 1 } as TypedPropertyDescriptor<number>
  assert.throws(
    () => Tracked()({}, 'total', field),
    /ConfigurationError: Tracked\(\): this decorates methods/,
  )
})

test('FC-09 FC-11 a job waits for its variables, and fails by a chest where it is to', async t => {
  const dead = recordingChest('dead', () => {
    throw new Error('no route to host')
  })
  const alive = recordingChest('alive')
  const { box } = captureLog({ chests: [dead, alive] })
  t.after(() => box.close(0))
  const work = async (): Promise<string> => {
    box.set({ a: 1 })
    return 'done'
  }
  const waits = box.tracked({ await: true }, work)
  assert.equal(await box.run({ name: 'job', requestId: 'j-1' }, waits), 'done')
  assert.deepEqual(alive.of('j-1'), [['a', 1, 'j-1']])
  const raises = box.tracked({ raise: true }, work)
  await assert.rejects(box.run({ name: 'job', requestId: 'j-2' }, raises), (error: ChestError) => {
    assert(error instanceof ChestError)
    assert.deepEqual([error.code, error.chest], ['unavailable', dead.id])
    assert.equal(error.message, 'Recording(name=dead): no route to host')
    assert.equal((error.cause as Error).message, 'no route to host')
    return true
  })
  assert.deepEqual(alive.of('j-2'), [['a', 1, 'j-2']])
  await box.flush(1)
  assert.equal(alive.entries.length, 2, 'and not again at the end')
  const [stats] = box.stats().chests
  assert.deepEqual([stats?.failed, stats?.queued], [2, 2], 'what failed for now waits in the queue')
})

test('FC-02 FC-03 options that are none are refused where tracked() is called', () => {
  const chest = recordingChest('chest')
  for (const [input, problem] of [
    [{ vars: ['a'], trackedVars: ['a'] }, /vars and trackedVars are the same option/],
    [{ chests: [chest], retries: 2 }, /tracked\(\): retries: there is no such option/],
    [{ chests: [{}] }, /tracked\(\): chests: this is no chest/],
    [{ chests: [chest, chest] }, /two chests Recording\(name=chest\)/],
    [{ raise: 'yes' }, /tracked\(\): raise: true or false/],
    [{ await: true, timeout: 0 }, /tracked\(\): timeout: 1 to 2147483647 milliseconds/],
    [{ requestId: 'r-1' }, /tracked\(\): requestId: a function/],
    [{ GET: 'user_id' }, /tracked\(\): GET: a list of names/],
    [{ GTE: ['user_id'] }, /tracked\(\): GTE: there is no such method/],
    [() => undefined, /tracked\(\): takes a list of names/],
    [[''], /tracked\(\): a list of names/],
  ] as const)
    assert.throws(
      () => tracked(input as never),
      (error: Error) => error instanceof ConfigurationError && problem.test(error.message),
      String(problem),
    )
  assert.throws(() => tracked([], 'handler' as never), /what follows the variables is the handler/)
  const ofRoute = { tracked: { await: true } } as unknown as DeedboxOptions
  assert.throws(() => deedbox(ofRoute), /ConfigurationError: tracked: await: there is no such method/)
})

test('FC-04 sample 44: a variable whose name is that of a secret is blanked, and a notice says how to have it', async t => {
  const chest = recordingChest('chest')
  const { box, lines } = captureLog({ chests: [chest], redact: { replacement: '(blanked)' } })
  t.after(() => box.close())
  const work = box.tracked(['user_id', 'session_id'], () => box.set({ user_id: '123', session_id: 'abc' }))
  box.run({ name: 'job', requestId: 'j-1' }, work)
  const told = (await lines()).filter(({ notice }) => notice === 'tracked_blanked')
  assert.deepEqual(chest.of('j-1'), [
    ['user_id', '123', 'j-1'],
    ['session_id', '(blanked)', 'j-1'],
  ])
  assert.deepEqual([told.length, told[0]?.variables], [1, ['session_id']])
  assert.match(String(told[0]?.message), /list them in redact\.allow$/)
})

test('IF-08 FC-06 skipped paths are not tracked, awaited or not; an upgrade is, and nobody waits', async t => {
  const chest = recordingChest('chest')
  const { box, recorded } = captureLog({ chests: [chest] })
  t.after(() => box.close())
  const work = tracked({ raise: true }, (): object => {
    box.set({ a: 1 })
    return {}
  })
  const server = createServer(async (_request, response) => {
    await work()
    response.end()
  }).listen(0, '127.0.0.1')
  server.on('upgrade', async (_request, socket) => {
    await work()
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
  })
  await once(server, 'listening')
  attachServer(server, box)
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const request of [
    get('/healthz'),
    'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  ]) {
    const socket = connect(port, '127.0.0.1')
    socket.write(request)
    for await (const _ of socket);
  }
  await recorded(1)
  await box.flush()
  assert.deepEqual(
    chest.entries.map(({ name, status }) => [name, status]),
    [['a', 101]],
  )
})

test('FC-03 FC-04 an empty object is options, which track everything', async t => {
  const chest = recordingChest('chest')
  const { box } = captureLog({ chests: [chest] })
  t.after(() => box.close())
  const work = box.tracked({}, () => box.set({ a: 1 }))
  box.run({ name: 'job', requestId: 'j-1' }, work)
  await box.flush()
  assert.deepEqual(chest.of('j-1'), [['a', 1, 'j-1']])
})
