import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import {
  type ChestError,
  type ContextEntry,
  type InfluxOptions,
  influx,
  type TrackedValue,
} from 'deedbox/chests'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { plainText, variableOf } from './influx-reading.ts'
import { type InfluxStandIn, influxStandIn, type ScriptedAnswer } from './influx-stand-in.ts'
import { aService } from './service-suite.ts'

const standIn = 'a stand-in for InfluxDB 2'
const four: TrackedValue[] = [1, '1', null, { a: 1 }]

function chestOn(t: TestContext, { port }: InfluxStandIn, more: InfluxOptions = {}) {
  const chest = influx({ host: '127.0.0.1', port, org: 'shop', bucket: 'vars', ...more })
  t.after(() => chest.close())
  return chest
}

/** The values of one variable in the layout `request`. */
function valuesOf(server: InfluxStandIn, name: string): TrackedValue[] {
  return server.points().flatMap(({ fields }) =>
    [...fields].flatMap(([key, field]) => {
      const [variable, value] = variableOf(key, field.value)
      return plainText(variable) === name ? [value] : []
    }),
  )
}

function requestWith(name: string, value: TrackedValue): ContextEntry[] {
  return entriesOf(aRecord(), [[name, value]])
}

async function failureOf(work: Promise<void>): Promise<ChestError> {
  try {
    await work
  } catch (error) {
    return error as ChestError
  }
  throw new Error('it was taken')
}

test(`FC-18 1, "1", null and an object under one name: nothing is lost, and ${standIn} refuses nothing`, async t => {
  for (const layout of ['request', 'flask-chest'] as const) {
    const server = await influxStandIn(t)
    const chest = chestOn(t, server, { layout })
    await chest.write(four.flatMap(value => requestWith('n', value)))
    for (const value of four) await chest.write(requestWith('n', value))
    assert.equal(server.writes.length, 5)
    const values = valuesOf(server, layout === 'request' ? 'n' : 'value')
    assert.deepEqual(values, [...four, ...four])
  }
})

test(`FC-18 a type that ${standIn} has already is learned, once, and each value is written`, async t => {
  const server = await influxStandIn(t)
  await chestOn(t, server).write(
    entriesOf(aRecord(), [
      ['n', 'text'],
      ['m', true],
      ['k', 1],
    ]),
  )
  const chest = chestOn(t, server)
  const requests = [1, 2, 3].map(n =>
    entriesOf(aRecord(), [
      ['n', n],
      ['m', 'yes'],
      ['k', `k${n}`],
    ]),
  )
  await chest.write(requests.flat())
  assert.equal(server.writes.length, 1 + 3 + 1)
  await chest.write(
    entriesOf(aRecord(), [
      ['n', 'more'],
      ['m', false],
      ['k', 4],
      ['new', 5],
    ]),
  )
  assert.equal(server.writes.length, 6)
  assert.deepEqual(valuesOf(server, 'n').sort(), [1, 2, 3, 'more', 'text'])
  assert.deepEqual(valuesOf(server, 'k').sort(), [1, 4, 'k1', 'k2', 'k3'])
  assert.equal(server.points().length, 5)
})

test(`FC-18 what ${standIn} took beside a conflict stays in the field where it is`, async t => {
  for (const layout of ['request', 'flask-chest'] as const) {
    const server = await influxStandIn(t)
    await chestOn(t, server, { layout }).write(requestWith('n', 'text'))
    const variables = [1, 'one', 2, 'two'].flatMap(value => requestWith('n', value))
    await chestOn(t, server, { layout }).write(variables)
    const values = valuesOf(server, layout === 'request' ? 'n' : 'value')
    assert.deepEqual(values.sort(), [1, 2, 'one', 'text', 'two'])
  }
})

test(`FC-18 a field of whole numbers at ${standIn} gets whole numbers, and others stand beside`, async t => {
  const server = await influxStandIn(t)
  const types = { n: 'integer' } as const
  await chestOn(t, server, { types }).write(requestWith('n', 1))
  const chest = chestOn(t, server)
  await chest.write([2, 2.5, '3'].flatMap(value => requestWith('n', value)))
  const written = server.points().flatMap(({ fields }) => [...fields].filter(([key]) => key.startsWith('n')))
  const texts = written.map(([key, { type, value }]) => `${key} ${type} ${value}`)
  assert.deepEqual(texts.sort(), ['n integer 1', 'n integer 2', 'n_number float 2.5', 'n_string string 3'])
})

test(`FC-18 what ${standIn} will never take is refused for exactly its request`, async t => {
  const server = await influxStandIn(t)
  await chestOn(t, server).write(entriesOf(aRecord(), [['n', 1]]))
  // Somebody's own field has the key that texts of "n" would go to.
  await fetch(`http://127.0.0.1:${server.port}/api/v2/write?org=shop&bucket=vars&precision=ns`, {
    method: 'POST',
    body: 'sample n_string=1 1',
  })
  const { box, lines } = aService(t, chestOn(t, server))
  for (const [i, value] of [2, 'text', 3, 4].entries())
    box.run({ name: 'job', requestId: `job-${i}` }, () => box.set({ n: value }))
  await eventually(() => {
    const { delivered, rejected } = box.stats().chests[0]!
    return delivered === 3 && rejected === 1
  })
  assert.deepEqual(
    valuesOf(server, 'n').filter(value => value !== 1),
    [2, 3, 4],
  )
  assert(
    lines.some(line => line.includes('already exists as type float')),
    lines.join(''),
  )
})

test(`FC-18 ${standIn} that has no time says when it wants to be asked again`, async t => {
  const server = await influxStandIn(t)
  const chest = chestOn(t, server)
  const entries = requestWith('n', 1)
  const date = new Date(Date.now() + 3_600_000).toUTCString()
  server.script.push(
    { status: 429, headers: { 'retry-after': '7' } },
    { status: 503, headers: { 'retry-after': date } },
    { status: 503 },
  )
  const [first, second, third] = [
    await failureOf(chest.write(entries)),
    await failureOf(chest.write(entries)),
    await failureOf(chest.write(entries)),
  ]
  assert.deepEqual([first.code, second.code, third.code], ['unavailable', 'unavailable', 'unavailable'])
  assert.equal(first.retryAfter, 7_000)
  assert(second.retryAfter! > 3_000_000 && second.retryAfter! <= 3_600_000)
  assert.equal(third.retryAfter, undefined)
  await chest.write(entries)
  assert.deepEqual(valuesOf(server, 'n'), [1])
})

test(`FC-18 what ${standIn} answers tells what may be tried again, keeps its cause, and prints nothing`, async t => {
  const printed = ['error', 'warn', 'log'].map(name => t.mock.method(console, name as 'error', () => {}))
  const server = await influxStandIn(t)
  const chest = chestOn(t, server)
  const answers = {
    200: 'unavailable',
    201: 'refused',
    302: 'unavailable',
    400: 'refused',
    401: 'unavailable',
  }
  const more = { 403: 'unavailable', 404: 'unavailable', 413: 'refused', 422: 'refused', 500: 'unavailable' }
  for (const [status, code] of Object.entries({ ...answers, ...more })) {
    const body = JSON.stringify({ code: 'x', message: `said ${status}` })
    server.script.push({ status: Number(status), body })
    const failure = await failureOf(chest.write(requestWith('n', 1)))
    assert.equal(failure.code, code, status)
    assert(failure.message.startsWith('InfluxDB(name=vars): '), failure.message)
    assert(failure.message.includes(status), failure.message)
    if (Number(status) < 300) continue
    assert(failure.message.includes(`said ${status}`))
    assert.equal((failure.cause as { readonly statusCode?: number }).statusCode, Number(status))
  }
  for (const { mock } of printed) assert.equal(mock.callCount(), 0)
})

test(`FC-16 FC-18 ${standIn} is told the token, which nothing else says`, async t => {
  const server = await influxStandIn(t, 'right-token')
  const chest = chestOn(t, server, { token: 'right-token' })
  assert.deepEqual(await chest.check(), [])
  await chest.write(requestWith('n', 1))
  assert.equal(server.writes.at(-1)?.authorization, 'Token right-token')
  const wrong = chestOn(t, server, { token: 'wrong-token' })
  const failure = await failureOf(wrong.write(requestWith('n', 2)))
  assert.equal(failure.code, 'unavailable')
  const [message] = await wrong.check()
  assert.equal(message?.id, 'deedbox.chest.credentials')
  const said = [failure.message, String(failure.cause), JSON.stringify(message), wrong.id, wrong.address]
  for (const text of said) assert(!String(text).includes('wrong-token'), text)
  const [missing] = await chestOn(t, server, { token: 'right-token', bucket: 'other' }).check()
  assert.equal(missing?.id, 'deedbox.chest.missing')
})

test(`FC-18 one connection to ${standIn} serves all writes, and closing ends it`, async t => {
  const server = await influxStandIn(t)
  const chest = chestOn(t, server)
  for (let n = 0; n < 20; n++) await chest.write(requestWith('n', n))
  assert.deepEqual([...new Set(server.writes.map(({ connection }) => connection))], [1])
  await chest.close()
  await chest.write(requestWith('n', 20))
  assert.equal(server.writes.at(-1)?.connection, 2)
})

test(`FC-18 much is written to ${standIn} in parts, and what was taken is said`, async t => {
  const server = await influxStandIn(t)
  const chest = chestOn(t, server)
  const requests = [1, 2, 3].map(n =>
    entriesOf(aRecord(), [
      ['n', n],
      ['text', 'x'.repeat(3_000_000)],
    ]),
  )
  server.script.push({ status: 204 }, { status: 204 }, { status: 503 })
  const failure = await failureOf(chest.write(requests.flat()))
  assert.equal(server.writes.length, 3)
  assert.deepEqual(
    [...failure.taken],
    requests.slice(0, 2).map(([entry]) => entry!.record.id),
  )
})

test(`FC-18 ${standIn} that says nothing is given up`, async t => {
  const server = await influxStandIn(t)
  server.hold()
  const chest = chestOn(t, server, { timeoutMs: 50 })
  const failure = await failureOf(chest.write(requestWith('n', 1)))
  assert.equal(failure.code, 'unavailable')
  assert.match(failure.message, /no answer within 50 ms/)
})

test(`FC-18 the line that ${standIn} quotes is not told, with what was tracked in it`, async t => {
  const server = await influxStandIn(t)
  const lines: string[] = []
  const logger = { debug: () => {}, warn: (message: string) => void lines.push(message) }
  for (const layout of ['request', 'flask-chest'] as const) {
    const chest = chestOn(t, server, { layout, logger })
    for (const secret of ['card 4711', "it's 4711': missing 4711", '4711\n4711 "4711"']) {
      const quotes = (quote: (line: string) => string): ScriptedAnswer => ({
        status: 400,
        body: (written: string) => JSON.stringify({ code: 'invalid', message: quote(written) }),
      })
      for (const [answer, told] of [
        [
          quotes(line => `unable to parse '${line}': missing fields`),
          'it could not read a line: missing fields',
        ],
        [quotes(line => `unable to parse '${line.slice(0, -25)}`), 'it could not read a line'],
        [
          quotes(line => `partial write: unable to parse '${line}': bad timestamp dropped=1`),
          'partial write: it could not read a line: bad timestamp dropped=1',
        ],
        [quotes(line => `bad line: "${line}"`), 'bad line: it could not read a line'],
        [{ status: 502, body: (line: string) => `you sent\n${line}` }, 'you sent: it could not read a line'],
      ] satisfies [ScriptedAnswer, string][]) {
        server.script.push(answer)
        const failure = await failureOf(chest.write(requestWith('card', secret)))
        assert.equal(failure.message, `InfluxDB(name=vars): the server answered ${answer.status}: ${told}`)
        assert(!inspect(failure, { depth: 9 }).includes('4711'))
      }
    }
  }
  const { box } = aService(t, chestOn(t, server, { logger }))
  server.script.push({ status: 400, body: line => `unable to parse '${line}': bad timestamp` })
  box.run({ name: 'job' }, () => box.set({ card: '4711' }))
  await eventually(() => lines.length > 0)
  assert.match(lines[0]!, /it could not read a line: bad timestamp$/)
})
