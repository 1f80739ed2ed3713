import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { test } from 'node:test'
import { attachServer, observe } from '../frameworks/node-http.ts'
import { tracked } from '../index.ts'
import { captureLog } from '../testing/captured-log.ts'
import { get } from '../testing/held-responses.ts'
import { until } from '../testing/ledger-stand-in.ts'
import { recordingChest } from '../testing/recording-chest.ts'
import { serve } from '../testing/served.ts'
import { ChestError } from './index.ts'

// Node's test runner fails a test in which a rejection stays unhandled.

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

const dead = () =>
  recordingChest('dead', () => {
    throw new ChestError('refused', 'Recording(name=dead)', 'the table is gone')
  })

const handlers: Readonly<Record<string, Handler>> = {
  'a timer': (_request, response) => setImmediate(() => response.end('ok')),
  'whoever answers later': (_request, response) => ({ each: setImmediate(() => response.end('ok')) }),
  'a promise of something, answered before': async (_request, response) => {
    response.end('ok')
    return true
  },
  'a promise of null, answered after': async (_request, response) => {
    setImmediate(() => response.end('ok'))
    return null
  },
}

for (const [what, handler] of Object.entries(handlers))
  for (const way of ['observe', 'attachServer'])
    test(`FC-11 raise, ${way}(): the response of a handler that gives ${what} is its answer, and waits`, async t => {
      const { box, recorded } = captureLog()
      t.after(() => box.close(0))
      const given: unknown[] = []
      const handle = tracked({ chests: [dead()], raise: true }, (request, response) => {
        box.set({ a: 1 })
        const result = handler(request, response)
        given.push(result)
        return result
      }) as Handler
      const around: Handler = (request, response) => {
        given.push(handle(request, response))
      }
      const server = way === 'observe' ? observe(box)(around) : attached(around)
      function attached(listener: Handler): Handler {
        const inner = createServer(listener)
        attachServer(inner, box)
        return (request, response) => void inner.emit('request', request, response)
      }
      const { raw } = await serve(t, server)
      assert.match(await raw(get('/', 'Connection: close')), /^HTTP\/1\.1 500 .*tracking_failed/s)
      const [record] = await recorded(1)
      assert(record?.error?.thrown instanceof ChestError)
      assert.equal(given[1], given[0], 'what it gives is handed on')
    })

test('FC-11 raise: a promise that nobody waits for ends no process, and the response waits for what is on its way', async t => {
  const answering = Promise.withResolvers<void>()
  let asked = 0
  const chest = recordingChest('slow', async () => {
    asked++
    await answering.promise
    throw new ChestError('refused', 'Recording(name=slow)', 'no')
  })
  const { box, recorded } = captureLog()
  t.after(() => box.close(0))
  const work = tracked({ chests: [chest], raise: true }, async () => {
    box.set({ a: 1 })
    return 'done'
  })
  const { raw } = await serve(
    t,
    observe(box)((_request, response) => {
      void work()
      void until(() => asked === 1).then(() => {
        response.end('ok')
        setImmediate(answering.resolve)
      })
    }),
  )
  assert.match(await raw(get('/', 'Connection: close')), /^HTTP\/1\.1 500 .*tracking_failed/s)
  await recorded(1)
})

test('FC-11 raise: a function that gives no promise stays one, in requests and in jobs', async t => {
  const { box, recorded } = captureLog({ chests: [dead()] })
  const kept = recordingChest('kept')
  t.after(() => box.close(0))
  const sum = box.tracked({ chests: [kept, dead()], raise: true }, (a: number, b: number) => {
    box.set({ a })
    return a + b
  })
  assert.equal(
    box.run({ name: 'job', requestId: 'j-1' }, () => sum(1, 2)),
    3,
  )
  await box.flush()
  assert.deepEqual(kept.of('j-1'), [['a', 1, 'j-1']])
  const { raw } = await serve(
    t,
    observe(box)((_request, response) => response.end(String(sum(1, 2)))),
  )
  assert.match(await raw(get('/', 'Connection: close')), /^HTTP\/1\.1 500 .*tracking_failed/s)
  await recorded(1)
})
