import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyLine, partsOf, serializer } from '../testing/fuzzed-lines.ts'
import { hostileValues } from '../testing/hostile-values.ts'
import { writtenSecrets } from '../testing/secrets.ts'
import { type FormatDetails, namedFormat, namedFormats } from './formats.ts'
import { flatLine, type LineHead } from './line.ts'
import { renderedMembers } from './members.ts'

const origin = { service: 'shop', env: 'production' }
const formats = namedFormats.map(name => [name, namedFormat(name, origin)] as const)
const quiet = (): void => undefined

const head: LineHead = {
  instant: 1_763_664_542_000_123,
  level: 'INFO',
  number: 20,
  type: 'app.log',
  logger: undefined,
  message: 'charging',
  source: 'pay.ts:charge:12',
  failure: undefined,
  members: ',"request_id":"r-1"',
}

/** Parses one line as strictly as its readers do: one object, on one line. */
function parse(line: string): Record<string, unknown> {
  assert.doesNotMatch(line, /[\r\n]/)
  assert(line.isWellFormed())
  const object = JSON.parse(line) as Record<string, unknown>
  assert(typeof object === 'object' && object !== null && !Array.isArray(object))
  return object
}

/** Elasticsearch refuses an object in which a name comes twice. */
function assertNamesOnce(object: string): void {
  const members = renderedMembers({ ...head, members: `,${object.slice(1, -1)}` })
  const names = members.map(([each]) => each)
  assert.equal(new Set(names).size, names.length, object)
  for (const [, json] of members) if (json.startsWith('{"')) assertNamesOnce(json)
}

for (const [name, format] of formats) {
  test(`FA-02 FA-08 X-04 ${name}: whatever is logged is one line, and nothing throws`, () => {
    fc.assert(
      fc.property(anyLine, plan => {
        const { head: each, fields, exception } = partsOf(plan)
        const line = format(each, serializer, fields, exception, quiet)
        parse(line)
        // The flat one leaves it to those who render members that no field has their names.
        if (name !== 'flat') assertNamesOnce(line)
      }),
      { numRuns: 2_000, seed: 1 },
    )
  })

  test(`FA-08 ${name}: values that defend themselves are written as something`, () => {
    for (const [what, make] of Object.entries(hostileValues)) {
      const failure = { thrown: make() }
      const line = parse(format({ ...head, failure }, serializer, { value: make() }, undefined, quiet))
      assert.match(JSON.stringify(line), /charging/, what)
    }
  })

  test(`IF-25 ${name}: no secret of the corpus reaches a line, as message, field, name or exception`, () => {
    for (const { what, text, secret } of writtenSecrets) {
      const failure = { thrown: new Error(text) }
      const fields = { text, [text]: 1, nested: [{ text }], password: text, fields: text }
      const line = format({ ...head, message: text, failure }, serializer, fields, text, quiet)
      parse(line)
      assert(!line.includes(JSON.stringify(secret).slice(1, -1)), `${what}: ${line}`)
    }
  })

  test(`FA-02 ${name}: a line of many large fields is cut and still one line`, () => {
    const large = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, 'x'.repeat(16_000)]))
    const line = format(head, serializer, large, undefined, quiet)
    parse(line)
    assert(line.length < 500_000)
    assert.match(line, /fields_cut/)
  })
}

test('FA-06 X-03 the request id has the name of the format, and no field takes its place', () => {
  const told: Record<string, string[]> = {}
  const lines = Object.fromEntries(
    formats.map(([name, format]) => {
      const keys: string[] = []
      told[name] = keys
      const fields = { request_id: 'theirs', rid: 'theirs', kept: 1 }
      return [name, parse(format(head, serializer, fields, undefined, key => keys.push(key)))]
    }),
  )
  const { flat, mozlog, ecs, otel, loguru } = lines as Record<string, Record<string, never>>
  assert.equal(flat?.request_id, 'r-1')
  assert.deepEqual(mozlog?.Fields, {
    rid: 'r-1',
    request_id: 'theirs',
    kept: 1,
    fields: '{"rid":"theirs"}',
    source: 'pay.ts:charge:12',
    msg: 'charging',
  })
  assert.equal(ecs?.['http.request.id'], 'r-1')
  assert.deepEqual(ecs?.deedbox, { rid: 'theirs', kept: 1, fields: { request_id: 'theirs' } })
  assert.match(JSON.stringify(otel), /\{"key":"request_id","value":\{"stringValue":"r-1"\}\}/)
  const { extra } = loguru?.record ?? ({} as Record<string, unknown>)
  assert.deepEqual(extra, { request_id: 'r-1', rid: 'theirs', kept: 1, fields: { request_id: 'theirs' } })
  const moved = ['request_id']
  assert.deepEqual(told, { flat: moved, mozlog: ['rid'], ecs: moved, otel: moved, loguru: moved })
})

test('FA-06 fields that cannot be listed cost no line', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const [name, format] of formats.filter(([each]) => each !== 'flat'))
    assert.match(format(head, serializer, proxy, undefined, quiet), /fields_unreadable/, name)
})

test('FA-03 DF-49 what may be chosen about a format reaches it', () => {
  const line = (name: (typeof namedFormats)[number], details: FormatDetails): string =>
    namedFormat(name, { ...origin, ...details })(head, serializer, { uid: 'u' }, undefined, quiet)
  assert.equal(namedFormat('flat', origin), flatLine)
  assert.notEqual(namedFormat('flat', { ...origin, offset: 'local' }), flatLine)
  assert.match(line('mozlog', { mozlog: { time: true } }), /"Time":"2025-11-20T18:49:02.000123Z"/)
  assert.doesNotMatch(line('mozlog', { mozlog: { personal: 'omit' } }), /uid/)
  assert.match(line('ecs', { ecsKey: 'Shop' }), /"Shop":\{"uid":"u"\}/)
})
