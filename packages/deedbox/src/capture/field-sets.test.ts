import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { captureLog, fieldSets } from './index.ts'

/** As zod's errors are. */
class ZodError extends Error {
  override readonly name = 'ZodError'
  readonly issues = [{ code: 'invalid_type', path: ['b'], message: 'a number is needed' }]
}

test('FA-34 FA-35 FA-36 FA-08, samples 72 to 75: each kind of line has its fields, two lines in their order for 422, one for 500', async t => {
  const { box, lines, texts, recorded } = captureLog()
  const server = createServer(
    observe(box, { unhandled: 'answer', validation: 'answer' })((request, response) => {
      if (request.url === '/wrong') throw new ZodError('no')
      if (request.url === '/broken') throw new Error('no')
      box.log.info('odd values', { url: new URL('http://a.test/'), set: new Set([1n]), date: new Date(0) })
      response.end('fine')
    }),
  )
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const statuses: number[] = []
  for (const path of ['/', '/wrong', '/broken'])
    statuses.push(
      (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })).status,
    )
  assert.deepEqual(statuses, [200, 422, 500])
  await recorded(3)
  const seen = await lines()
  assert.deepEqual(
    seen.map(({ level, message }) => `${level} ${message}`),
    [
      'INFO odd values',
      'INFO log request',
      'INFO request validation exception',
      'INFO log request',
      'ERROR Unhandled exception',
    ],
  )
  const sets = [[], fieldSets.request, fieldSets.validation, fieldSets.request, fieldSets.exception]
  for (const [at, fields] of sets.entries())
    for (const field of fields) assert.ok(field in (seen[at] ?? {}), `${field} in ${texts[at]}`)
  assert.ok(!('exception' in (seen[1] ?? {})))
  await box.close()
})
