import assert from 'node:assert/strict'
import { test } from 'node:test'
import { types } from 'node:util'
import { auditedLog } from '../testing/audited-log.ts'
import { compiledProgram } from '../testing/compiled-program.ts'

const entry = new URL('../index.ts', import.meta.url).href

test('IP-10 result, error, this, arguments, name, length, members and prototype stay what they were', async () => {
  const { box, events } = auditedLog()
  const failure = new RangeError('no')
  function work(this: unknown, first: unknown, _second?: unknown): unknown[] {
    if (first === 'throw') throw failure
    // biome-ignore lint/complexity/noArguments: what a caller hands over beyond the parameters arrives too
    return [this, ...arguments]
  }
  work.limit = 3
  const audited = box.audited(work)
  const self = {}
  assert.deepEqual(audited.call(self, 1, 2), [self, 1, 2])
  assert.equal(audited.call(self, 1)[0], self)
  assert.equal(Reflect.apply(audited, undefined, [1, 2, 3, 4]).length, 5)
  assert.throws(
    () => audited('throw'),
    error => error === failure,
  )
  assert.deepEqual([audited.name, audited.length, audited.limit], ['work', 2, 3])
  work.limit = 4
  assert.equal(audited.limit, 4)
  assert.equal(audited.prototype, work.prototype)
  assert.equal(Object.getPrototypeOf(audited), Object.getPrototypeOf(work))
  assert.equal((await events()).length, 4)
})

test('IP-10 a function called with new makes what it made, and its call is an event', async () => {
  const { box, events } = auditedLog()
  function Order(this: { id: number }, id: number): void {
    this.id = id
  }
  const Audited = box.audited(Order) as unknown as new (id: number) => { id: number }
  const order = new Audited(7)
  assert.equal(order.id, 7)
  assert(order instanceof Audited)
  assert.equal(Object.getPrototypeOf(order), Order.prototype)
  class Special extends Audited {}
  assert(new Special(8) instanceof Special)
  assert.deepEqual(
    (await events()).map(({ meta }) => meta.event_name),
    ['fn.audited.test.Order', 'fn.audited.test.Order'],
  )
})

test('IP-10 what cannot be audited as it was asked for is refused when it is wrapped', () => {
  const { box } = auditedLog()
  const work = (): number => 1
  const refused: [unknown[], RegExp][] = [
    [[() => 1], /has no name; name its event: audited\(fn, \{ eventName/],
    [[class Order {}], /this is a class: decorate or wrap its methods/],
    [[work, 'text'], /decorates methods/],
    [[work, 7], /an object of options/],
    [[7], /an object of options/],
    [[work, { eventName: ' ' }], /eventName must be a text/],
    [[work, { module: 7 }], /module must be a text/],
    [[work, { service: '' }], /service must be a text/],
    [[work, { kind: 'fatal' }], /kind must be success, info, warning or error/],
    [[work, { fields: {} }], /fields must be a function/],
    [[work, { details: {} }], /details must be a function/],
    [[undefined, { kind: 'field', name: 'a', addInitializer: () => undefined }], /decorates methods/],
    [[{}, 'a', undefined], /decorates methods/],
    [[{}, 'a', { value: 7 }], /decorates methods/],
  ]
  for (const [args, problem] of refused)
    assert.throws(() => Reflect.apply(box.audited, undefined, args), { name: 'TypeError', message: problem })
  assert.equal(box.audited(() => 1, { eventName: 'x' })(), 1)
})

test('IP-10 the name is that of the function, without the word that bind() puts before it', async () => {
  const { box, events } = auditedLog()
  const shop = {
    place() {
      return this
    },
  }
  assert.equal(box.audited(shop.place.bind(shop))(), shop)
  const [list = []] = [[shop.place].map(each => box.audited(each, { module: 'list' }))]
  list[0]?.()
  assert.deepEqual(
    (await events()).map(({ meta }) => meta.event_name),
    ['fn.audited.test.place', 'fn.list.place'],
  )
})

for (const flags of [[], ['--enable-source-maps']]) {
  test(`IP-10 ruling 18: the module is the name of the source file, also of compiled code ${flags.join('')}`, async t => {
    const program = await compiledProgram(
      t,
      {
        'src/user.service.ts': `import { audited, deedbox } from '${entry}'
interface User { readonly id: number }

function removeUser(user: User): number {
  return user.id
}
const [fromList] = [removeUser].map(each => audited(each))
const remove = audited(removeUser)
const box = deedbox({ service: 'users', log: { sink: { write: line => console.log(JSON.parse(line).event_name) } }, ledger: null })
remove({ id: 1 })
fromList({ id: 1 })
box.audited(removeUser)({ id: 2 })
box.audited(removeUser, { module: 'users' })({ id: 2 })
`,
        'src/keep.ts': 'export {}\n',
      },
      { outDir: 'out', outFile: undefined },
    )
    const { stdout, stderr } = await program.run('user.service.js', { flags })
    assert.equal(stderr, '')
    const named = 'fn.user.service.removeUser'
    assert.deepEqual(stdout.trimEnd().split('\n'), [named, named, named, 'fn.users.removeUser'])
  })
}

test('IP-10 metadata of decorators about a function is found under what took its place', () => {
  const kept = new Map<object, Map<unknown, unknown>>()
  const store = {
    getOwnMetadataKeys: (target: object) => [...(kept.get(target)?.keys() ?? [])],
    getOwnMetadata: (key: unknown, target: object) => kept.get(target)?.get(key),
    defineMetadata: (key: unknown, value: unknown, target: object) =>
      void kept.set(target, new Map(kept.get(target)).set(key, value)),
  }
  Object.assign(Reflect, store)
  try {
    const work = (): number => 1
    const sign = Symbol('path')
    store.defineMetadata(sign, '/orders', work)
    store.defineMetadata('method', 'GET', work)
    const audited = auditedLog().box.audited(work)
    assert.deepEqual(kept.get(audited), kept.get(work))
    assert.notEqual(audited, work)
  } finally {
    for (const name of Object.keys(store)) Reflect.deleteProperty(Reflect, name)
  }
})

test('IP-12 IP-13 a promise settles as before, and its event comes when it has settled', async () => {
  const { box, events } = auditedLog()
  const failure = new Error('declined')
  const { promise, resolve } = Promise.withResolvers<string>()
  const pay = box.audited(async function pay(this: unknown, how: string) {
    if (how === 'reject') throw failure
    return [this, await promise]
  })
  const self = {}
  const paid = pay.call(self, 'later')
  assert.deepEqual((await events()).length, 0)
  resolve('done')
  assert.deepEqual(await paid, [self, 'done'])
  await assert.rejects(pay('reject'), error => error === failure)
  assert.deepEqual(
    (await events()).map(({ payload }) => payload.message),
    ['fn.audited.test.pay executed', 'fn.audited.test.pay failed: Error'],
  )
})

test('IP-12 what awaits by a way of its own is neither started nor replaced', async () => {
  const { box, events } = auditedLog()
  let started = 0
  class Query extends Promise<string> {
    static override get [Symbol.species](): PromiseConstructor {
      return Promise
    }
    // biome-ignore lint/suspicious/noThenProperty: as lazy queries have it
    override then<A, B>(...how: Parameters<Promise<string>['then']>): Promise<A | B> {
      started++
      return super.then(...how) as Promise<A | B>
    }
  }
  const query = Query.resolve('rows') as Query
  const lazy = {
    // biome-ignore lint/suspicious/noThenProperty: as query builders have it
    then: () => {
      started++
    },
  }
  const withMember = Object.assign(Promise.resolve(1), { cancel: () => undefined })
  const built = new (class Strange extends Promise<number> {
    constructor(executor?: ConstructorParameters<typeof Promise<number>>[0]) {
      if (executor === undefined) super(resolve => resolve(1))
      else throw new Error('not from outside')
    }
  })()
  for (const value of [query, lazy, withMember, built]) {
    const read = box.audited(() => value as unknown, {
      eventName: 'read',
      fields: ({ result }) => ({ ended: typeof result }),
    })
    assert.equal(read(), value)
  }
  assert.equal(started, 0)
  assert.equal(await query, 'rows')
  await withMember
  assert.deepEqual(
    (await events()).map(({ payload }) => payload.fields),
    // The two that are not watched to their end come first: they end when the call does.
    [{ ended: 'object' }, { ended: 'undefined' }, { ended: 'string' }, { ended: 'number' }],
  )
})

test('IP-12 a rejection that nobody handles still ends the process, and is an event', async t => {
  const program = await compiledProgram(t, {
    'src/unhandled.ts': `import { deedbox } from '${entry}'
const box = deedbox({ service: 'tests', ledger: null })
const fail = box.audited(async function fail(): Promise<void> { throw new Error('nobody handles this') })
void fail()
`,
  })
  const { code, stdout, stderr } = await program.run('unhandled.js')
  assert.equal(code, 1, stderr)
  assert.match(`${stdout}${stderr}`, /fn\.unhandled\.fail failed: Error/)
  assert.match(stderr, /nobody handles this/)
})

test('IP-16 generators keep their protocol, and their event counts what they gave', async () => {
  const { box, events } = auditedLog()
  const steps: unknown[] = []
  const count = box.audited(
    function* count(most: number): Generator<number, string, unknown> {
      try {
        for (let n = 0; n < most; n++) steps.push(yield n)
        return 'counted'
      } finally {
        steps.push('closed')
      }
    },
    { fields: ({ args, result }) => ({ most: args[0], result }) },
  )
  const all = count(2)
  assert(types.isGeneratorObject(all))
  assert(all instanceof count)
  assert.equal(all[Symbol.iterator](), all)
  assert.deepEqual(
    [all.next('lost'), all.next('a'), all.next('b'), all.next()],
    [
      { value: 0, done: false },
      { value: 1, done: false },
      { value: 'counted', done: true },
      { value: undefined, done: true },
    ],
  )
  assert.deepEqual(steps.splice(0), ['a', 'b', 'closed'])
  for (const n of count(5)) if (n === 2) break
  assert.deepEqual(steps.splice(0), [undefined, undefined, 'closed'])
  function* outer(): Generator<number, void, unknown> {
    steps.push(yield* count(1))
  }
  assert.deepEqual([...outer()], [0])
  assert.deepEqual(steps.splice(0), [undefined, 'closed', 'counted'])
  const helped = count(9) as unknown as { take(most: number): { toArray(): number[] } }
  assert.deepEqual(helped.take(2).toArray(), [0, 1])
  const failure = new Error('thrown in')
  const failing = count(3)
  failing.next()
  assert.throws(
    () => failing.throw(failure),
    error => error === failure,
  )
  assert.deepEqual(failing.return('late'), { value: 'late', done: true })
  assert.deepEqual(count(3).return('at once'), { value: 'at once', done: true })
  assert.deepEqual(
    (await events()).map(({ payload }) => [payload.kind, payload.items, payload.fields]),
    [
      ['info', 2, { most: 2, result: 'counted' }],
      ['info', 3, { most: 5 }],
      ['info', 1, { most: 1, result: 'counted' }],
      ['info', 2, { most: 9 }],
      ['error', 1, { most: 3 }],
      ['info', 0, { most: 3, result: 'at once' }],
    ],
  )
})

test('IP-16 async generators as well, also with several steps asked for at once', async () => {
  const { box, events } = auditedLog()
  const failure = new Error('cut off')
  const read = box.audited(async function* read(rows: number, fails = false) {
    for (let n = 0; n < rows; n++) yield n
    if (fails) throw failure
    return 'end'
  })
  const seen: number[] = []
  for await (const row of read(3)) seen.push(row)
  assert.deepEqual(seen, [0, 1, 2])
  for await (const row of read(3)) if (row === 1) break
  const rows = read(1, true)
  assert(rows instanceof read)
  assert.equal(rows[Symbol.asyncIterator](), rows)
  const [first, second, third] = await Promise.allSettled([rows.next(), rows.next(), rows.next()])
  assert.deepEqual(first, { status: 'fulfilled', value: { value: 0, done: false } })
  assert.equal(second?.status === 'rejected' && second.reason, failure)
  assert.deepEqual(third, { status: 'fulfilled', value: { value: undefined, done: true } })
  async function* outer(): AsyncGenerator<number, unknown> {
    return yield* read(2)
  }
  for await (const row of outer()) seen.push(row)
  assert.deepEqual(seen, [0, 1, 2, 0, 1])
  await assert.rejects(read(1).throw(failure), error => error === failure)
  assert.deepEqual(
    (await events()).map(({ payload }) => [payload.kind, payload.items]),
    [
      ['info', 3],
      ['info', 2],
      ['error', 1],
      ['info', 2],
      ['error', 0],
    ],
  )
})

test('IP-16 a generator that cannot be watched is left alone', async () => {
  const { box, events } = auditedLog()
  const frozen = box.audited(
    () =>
      Object.freeze(
        (function* () {
          yield 1
        })(),
      ),
    { eventName: 'frozen' },
  )
  assert.deepEqual([...frozen()], [1])
  assert.equal((await events())[0]?.payload.items, undefined)
})
