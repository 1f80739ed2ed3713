import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observe } from './frameworks/node-http.ts'
import { deedbox } from './index.ts'
import { ConfigurationError } from './safety/index.ts'
import { captureLog } from './testing/captured-log.ts'

const refusals: readonly (readonly [given: unknown, said: RegExp])[] = [
  [{ servcie: 'shop' }, /^servcie: there is no such option\. There are: service, env, /],
  ['shop', /^deedbox\(\): takes an object of options; this is "shop"\./],
  [{ requestId: 'uuid7' }, /^requestId: takes an object of options; this is a text\./],
  [{ requestId: { genrator: 'uuid7' } }, /^requestId\.genrator: there is no such option/],
  [{ requestFields: ['a'] }, /^requestFields: there is no such option/],
  [{ log: { requestFields: ['a'] } }, /^log\.requestFields: a function is needed; this is a list\./],
  [{ audit: { kind: 'error' } }, /^audit\.kind: a function is needed; this is "error"\./],
  [{ skipPaths: '/healthz' }, /^skipPaths: a list is needed; this is a text\./],
  [{ skipPaths: [{ prefix: '' }] }, /^skipPaths: a path is a text, a RegExp, or \{ prefix \}/],
  [{ skipMethods: [1] }, /^skipMethods: a method is a text\./],
  [{ propagate: 'https://billing.internal' }, /^propagate: this is true, false, or a list of origins\./],
  [{ propagate: ['https://*.internal'] }, /^propagate: "https:\/\/\*\.internal" is no origin/],
  [{ redact: { keys: 'iban' } }, /^redact\.keys: a list is needed/],
  [{ redact: { patterns: ['x'] } }, /^redact: A redaction pattern is a RegExp/],
  [{ processErrors: 'exit' }, /^processErrors: "exit" is unknown\. Use log, adopt, off\./],
  [{ processedTime: 'no' }, /^processedTime: true or false is needed; this is "no"\./],
]

for (const [given, said] of refusals) {
  test(`IF-02 a start-up error that names the option: ${JSON.stringify(given)}`, () => {
    assert.throws(
      () => deedbox(given as never),
      (error: unknown) => {
        assert.ok(error instanceof ConfigurationError)
        assert.match(error.message, said)
        return true
      },
    )
  })
}

test('IF-02 the options of an adapter are checked as well, and undefined counts as absent', async () => {
  const { box } = captureLog({ skipPaths: undefined as never, log: undefined as never })
  assert.throws(
    () => observe(box, { unhandled: 'yes' as never }),
    /^ConfigurationError: unhandled: "yes" is unknown/,
  )
  assert.throws(() => observe(box, { unhandeld: 'answer' } as never), /unhandeld: there is no such option/)
  assert.throws(() => observe(box, { user: 'me' as never }), /user: a function is needed; this is "me"/)
  observe(box, { user: undefined as never })
  await box.close()
})
