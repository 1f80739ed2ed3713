import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { observe as observeExpress } from '../frameworks/express.ts'
import { observe as observeFastify } from '../frameworks/fastify.ts'
import { observe as observeHono } from '../frameworks/hono.ts'
import { observe as observeKoa } from '../frameworks/koa.ts'
import { deedboxProvider, observe as observeNest } from '../frameworks/nest.ts'
import { attachServer, observe } from '../frameworks/node-http.ts'
import { type Deedbox, deedbox } from '../index.ts'
import { recordingChest } from '../testing/recording-chest.ts'

interface Vars {
  user_id: string
  total: number
  data?: readonly string[]
}

/** Whether two types are the same one. */
type Same<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false
const isTrue = <Is extends true>(_is?: Is): void => undefined

const quiet = { ledger: null, log: { sink: () => {} }, processErrors: 'off', flushOnSignal: false } as const

test('FC-02 ruling 24: deedbox<{ … }>() knows the variables that set, get and tracked are about', async t => {
  const chest = recordingChest('chest')
  const box = deedbox<Vars>({ ...quiet, chests: [chest], tracked: { '*': ['total'] } })
  t.after(() => box.close())

  box.run({ name: 'job', requestId: 'j-1' }, () => {
    box.set({ user_id: 'u' })
    box.set({ total: 1, data: ['a'] })
    const user = box.get('user_id')
    isTrue<Same<typeof user, string | undefined>>()
    const data = box.get('data')
    isTrue<Same<typeof data, readonly string[] | undefined>>()
    const work = box.tracked({ GET: ['user_id'], '*': ['data', 'total'] }, (n: number) => `${n}`)
    isTrue<Same<typeof work, (n: number) => string>>()
    assert.equal(work(1), '1')
  })
  await box.flush()
  assert.deepEqual(chest.of('j-1'), [
    ['data', ['a'], 'j-1'],
    ['total', 1, 'j-1'],
  ])

  const wrong = (): void => {
    // @ts-expect-error: a total is a number
    box.set({ total: '1' })
    // @ts-expect-error: there is no such variable
    box.set({ totals: 1 })
    // @ts-expect-error: there is no such variable
    box.get('totals')
    // @ts-expect-error: there is no such variable
    box.tracked(['totals'])
    // @ts-expect-error: there is no such variable
    box.tracked({ vars: { GET: ['user_id', 'totals'] } })
    // @ts-expect-error: there is no such variable
    box.tracked(['totals'], () => 1)
    // @ts-expect-error: there is no such variable
    deedbox<Vars>({ tracked: ['totals'] })
  }
  assert.equal(typeof wrong, 'function')
})

test('FC-02 without a type argument any name will do, and an instance with one fits wherever one without does', t => {
  const box = deedbox(quiet)
  const typed = deedbox<Vars>(quiet)
  t.after(() => Promise.all([box.close(), typed.close()]))
  isTrue<Same<typeof box, Deedbox>>()
  box.set({ anything: [{}] })
  const read = box.get('anything')
  isTrue<Same<typeof read, unknown>>()
  box.tracked(['any', 'name'])
  const plain: Deedbox = typed
  assert.equal(plain, typed)
  for (const observer of [
    observe(typed),
    observeExpress(typed),
    observeFastify(typed),
    observeHono(typed),
    observeKoa(typed),
    observeNest(typed),
  ])
    assert.equal(typeof observer, 'function')
  assert.equal(deedboxProvider(typed).useValue, typed)
  attachServer(createServer(), typed)()
})
