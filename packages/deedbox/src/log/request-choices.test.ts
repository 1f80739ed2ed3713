import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { captureLog } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'
import type { RequestLineOptions } from './request-line.ts'

const { proxy: revoked, revoke } = Proxy.revocable({}, {})
revoke()

const rejects = async (): Promise<never> => {
  throw new Error('not now')
}

const hostile = Object.defineProperty({}, 'bad', {
  enumerable: true,
  get: () => {
    throw new Error('unreadable')
  },
})

// Options come from JavaScript too, where nothing keeps a function to its type.
const choices: Record<string, readonly [options: object, isToldOf: boolean]> = {
  'no fields': [{ requestFields: () => null }, false],
  'a text for fields': [{ requestFields: () => 'tenant' }, true],
  'a promise of fields': [{ requestFields: rejects }, true],
  'fields that cannot be listed': [{ requestFields: () => revoked }, true],
  'a field that throws': [{ requestFields: () => hostile }, false],
  'a level that is none': [{ requestLevel: () => 'LOUD' }, true],
  'no level': [{ requestLevel: () => null }, false],
}

for (const format of ['flat', 'mozlog'] as const) {
  for (const [name, [options, isToldOf]] of Object.entries(choices)) {
    test(`FA-10 ruling 12: ${name} costs no ${format} line`, async t => {
      const texts: string[] = []
      const sink = { write: (line: string) => texts.push(line) }
      const log = { sink, format, ...(options as RequestLineOptions) }
      const { box, recorded } = captureLog({ log })
      const { url } = await serve(
        t,
        observe(box)((_request, response) => void response.end()),
      )
      await fetch(`${url}/x`)
      await recorded(1)
      await box.flush()
      assert.equal(texts.filter(line => /request\.summary|"path_with_query"/.test(line)).length, 1)
      assert.equal(
        texts.some(line => line.includes('sink_failed')),
        isToldOf,
      )
    })
  }
}

test('X-11 listeners and users that reject cost nothing, and no process', async t => {
  const { box, lines, recorded } = captureLog()
  const unhandled: unknown[] = []
  const note = (reason: unknown): number => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  box.onRecord(rejects)
  const { url } = await serve(
    t,
    observe(box, { user: rejects as never })((_request, response) => void response.end()),
  )
  await fetch(url)
  const [record] = await recorded(1)
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(record?.user, null)
  assert.deepEqual(unhandled, [])
  assert.ok((await lines()).some(line => line.notice === 'sink_failed'))
})
