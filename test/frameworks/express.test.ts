import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { tracked } from 'deedbox'
import { observe } from 'deedbox/express'
import { attachServer } from 'deedbox/http'
import express5Module from 'express'
import multer from 'multer'
import { type CapturedLog, captureLog } from '../../packages/deedbox/src/testing/captured-log.ts'
import { recordingChest } from '../../packages/deedbox/src/testing/recording-chest.ts'
import { frameworkConformance } from './conformance.ts'
import express4Module from './express-4/express.ts'
import { express4 } from './express-4/harness.ts'
import { express5 } from './express-5/harness.ts'

frameworkConformance(express4)
frameworkConformance(express5)

interface Watched extends CapturedLog {
  serve(app: express5Module.Express, attached?: boolean): Promise<string>
}

function watched(t: TestContext): Watched {
  const captured = captureLog()
  const { box } = captured
  return {
    ...captured,
    async serve(app, attached = false) {
      const server = createServer(app)
      if (attached) attachServer(server, box)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.after(async () => {
        server.closeAllConnections()
        server.close()
        await box.close()
      })
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
  }
}

for (const [name, make] of [
  ['Express 4', express4Module as unknown as typeof express5Module],
  ['Express 5', express5Module],
] as const) {
  test(`FC-11 ${name}: raise: the response of a handler waits, whatever the handler gives`, async t => {
    const { box, recorded, serve } = watched(t)
    const dead = recordingChest('dead', () => {
      throw new Error('the disk is full')
    })
    const app = make()
    app.use(observe(box))
    const handlers: Record<string, (response: express5Module.Response) => unknown> = {
      '/timer': response => setImmediate(() => response.json({ ok: true })),
      '/null': async response => {
        setImmediate(() => response.json({ ok: true }))
        return null
      },
      '/answered': async response => response.json({ ok: true }),
    }
    for (const [path, handler] of Object.entries(handlers)) {
      const work = tracked(
        { chests: [dead], raise: true },
        (_request: unknown, response: express5Module.Response) => {
          box.set({ a: 1 })
          return handler(response)
        },
      )
      app.get(path, work)
    }
    const url = await serve(app)
    for (const path of Object.keys(handlers)) {
      const response = await fetch(url + path)
      const { reason } = (await response.json()) as { reason?: string }
      assert.deepEqual([path, response.status, reason], [path, 500, 'tracking_failed'])
    }
    await recorded(3)
    await box.close(0)
  })

  test(`FA-14 IF-12 ${name}: an upload through multer keeps its request`, async t => {
    const { box, lines, records, serve } = watched(t)
    const app = make()
    app.use(observe(box))
    app.post('/upload', multer().single('file'), (request, response) => {
      box.log.info('uploaded', { size: request.file?.size })
      response.json({ ok: true })
    })
    const url = await serve(app)
    const ids = Array.from({ length: 20 }, (_, n) => `upload-${n}`)
    await Promise.all(
      ids.map((id, n) => {
        const form = new FormData()
        form.set('file', new Blob(['x'.repeat(100_000 + n)]), 'a.bin')
        return fetch(`${url}/upload`, { method: 'POST', body: form, headers: { 'x-request-id': id } })
      }),
    )
    const said = (await lines()).filter(line => line.message === 'uploaded')
    assert.deepEqual(
      said.map(line => `${line.request_id} ${line.size}`).sort(),
      ids.map((id, n) => `${id} ${100_000 + n}`).sort(),
    )
    assert.deepEqual(new Set(records.map(record => record.body?.state)), new Set(['read']))
  })

  test(`FA-25 X-12 ${name}: the application’s own error handler wins, and the real error is on the line`, async t => {
    const { box, lines, serve } = watched(t)
    const app = make()
    app.use(observe(box, { unhandled: 'answer', validation: 'answer' }))
    app.get('/throw', () => {
      throw new Error('the till is jammed')
    })
    const answers: express5Module.ErrorRequestHandler = (_error, _request, response, _next) => {
      response.status(503).json({ error: 'come back later' })
    }
    app.use(answers)
    const url = await serve(app)
    for (let n = 0; n < 2; n++) {
      const answer = await fetch(`${url}/throw`)
      assert.deepEqual([answer.status, await answer.json()], [503, { error: 'come back later' }])
    }
    const [line] = (await lines()).filter(each => each.status_code === 503)
    assert.deepEqual([line?.level, line?.message], ['ERROR', 'Unhandled exception'])
    assert.match(String(line?.exception), /the till is jammed/)
  })

  test(`FA-25 X-12 ${name}: a promise that the handler takes care of itself stays taken care of`, async t => {
    const { box, serve } = watched(t)
    const unhandled: unknown[] = []
    const note = (reason: unknown): number => unhandled.push(reason)
    process.on('unhandledRejection', note)
    t.after(() => process.off('unhandledRejection', note))
    const app = make()
    app.use(observe(box))
    app.get('/', (_request, response) => {
      const work = Promise.reject(new Error('handled'))
      work.catch(() => response.headersSent || response.status(500).json({ ok: false }))
      return work as never
    })
    app.use(((_error, _request, response, _next) => {
      if (!response.headersSent) response.status(500).json({ ok: false })
    }) as express5Module.ErrorRequestHandler)
    const url = await serve(app)
    assert.equal((await fetch(url)).status, 500)
    await new Promise(setImmediate)
    assert.deepEqual(unhandled, [])
  })

  test(`IF-04 ${name}: what stands ahead of observe() is told once, unless the server is observed`, async t => {
    for (const attached of [false, true]) {
      const { box, lines, records, serve } = watched(t)
      const app = make()
      app.get('/early', (_request, response) => void response.json({ ok: true }))
      app.use(observe(box))
      app.get('/late', (_request, response) => void response.json({ ok: true }))
      const url = await serve(app, attached)
      for (const path of ['/early', '/late', '/late']) await (await fetch(url + path)).text()
      assert.equal((await lines()).filter(line => line.notice === 'observed_late').length, attached ? 0 : 1)
      assert.equal(records.length, attached ? 3 : 2)
    }
  })
}

for (const [outside, inside, makeOuter, makeInner] of [
  ['Express 4', 'Express 5', express4Module as unknown as typeof express5Module, express5Module],
  ['Express 5', 'Express 4', express5Module, express4Module as unknown as typeof express5Module],
] as const) {
  test(`IF-16 IF-29 ${inside} in ${outside}, both observed, mounted and called by hand`, async t => {
    const { box, recorded, serve } = watched(t)
    const failure = new Error('inside')
    const app = makeOuter()
    app.set('env', 'test')
    app.use(observe(box))
    const make = (): express5Module.Express => {
      const inner = makeInner()
      inner.set('env', 'test')
      inner.use(observe(box, { unhandled: 'answer' }))
      inner.get('/items/:id', (_request, response) => void response.json(1))
      inner.get('/rejects', async () => {
        throw failure
      })
      return inner
    }
    app.use('/mounted', make())
    const byHand = make()
    app.use('/by-hand', (request, response) => byHand(request, response))
    const url = await serve(app)
    for (const path of ['/mounted', '/by-hand'])
      for (const end of ['/rejects', '/items/7']) await (await fetch(url + path + end)).text()
    const records = await recorded(4)
    assert.deepEqual(
      records.map(({ route, status, error }) => [route, status, error?.thrown]),
      [
        ['/mounted/rejects', 500, failure],
        ['/mounted/items/:id', 200, undefined],
        ['/by-hand/rejects', 500, failure],
        ['/by-hand/items/:id', 200, undefined],
      ],
    )
  })
}
