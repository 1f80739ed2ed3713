import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import express, { type NextFunction, type Request, type Response } from 'express'
import { errorFrames, formatError } from './index.ts'

test('FA-39 an error through the internals of Express: one line for the first frame, one for the rest', async t => {
  const app = express()
  app.get('/', function failing() {
    throw new RangeError('no cups')
  })
  let thrown: unknown
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    thrown = error
    response.end(formatError(error, { sourceLines: 1 }))
  })
  const server = app.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const shown = (await answer.text()).replace(/^File "[^"]*node_modules/m, 'File "…/node_modules')
  const suppressed = errorFrames(thrown).filter(frame => frame.isSuppressed)
  assert.ok(suppressed.length > 2)
  const [first, , counted, , own, ...source] = shown.split('\n')
  assert.match(first ?? '', /^File "…\/node_modules\/[^"]+", line \d+, in [\w.]+$/)
  assert.equal(counted, ` (... ${suppressed.length - 1} more frames in suppressed paths)`)
  assert.match(own ?? '', /boring-paths\.test\.ts", line 11, in failing$/)
  assert.match(source.join('\n'), /^--> 11 {6}throw new RangeError\('no cups'\)$/m)
  assert.equal(source.at(-1), 'RangeError: no cups')
})
