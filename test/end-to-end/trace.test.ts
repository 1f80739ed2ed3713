import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sqlite } from 'deedbox/chests'
import { aRecord, entriesOf } from '../chests/entries.ts'
import { deedbox, ledgerEnv, startLedger, stopLedger, tempFolder } from './ledger-process.ts'
import { playTwoRequests } from './two-requests.ts'

const key = `deed_live_${'f'.repeat(43)}`

interface Item {
  from: 'log' | 'ledger' | 'chest'
  at: string
  offset_ms: number
  line?: { message: string; request_id: string }
  entry?: { name: string; value: unknown }
  event?: { request_id: string; meta: { event_name: string } }
}

const items = (stdout: string): Item[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Item)

test('FA-57 a trace joins log lines and ledger events of a request, the same from folder and URL', async t => {
  const folder = tempFolder(t)
  const file = join(folder, 'app.log')
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key })
  const withKey = ledgerEnv(folder, { DEEDBOX_API_KEY: key })
  await playTwoRequests(file, { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: key })
  const data = join(folder, 'data')

  const here = await deedbox(['trace', 'req-b', file, '--data', data], { env: ledgerEnv(folder) })
  assert.deepEqual([here.code, here.stderr], [0, ''])
  const found = items(here.stdout)
  assert.deepEqual(
    found.map(({ from, line, event }) => [from, line?.message ?? event?.meta.event_name]),
    [
      ['log', 'looking up'],
      ['log', 'not found'],
      ['log', 'no answer'],
      ['log', 'log request'],
      ['ledger', 'http.GET./orders/b'],
    ],
  )
  assert(found.every(({ line, event }) => (line ?? event)?.request_id === 'req-b'))
  const offsets = found.map(({ offset_ms }) => offset_ms)
  assert.deepEqual(
    offsets,
    offsets.toSorted((a, b) => a - b),
  )
  assert((offsets[0] ?? -1) >= 0, 'the start is the request’s, not its first line’s')

  const there = await deedbox(['trace', 'req-b', file, '--url', ledger.url], { env: withKey })
  assert.equal(there.stdout, here.stdout)
  const pretty = await deedbox(['trace', 'req-b', file, '--data', data, '--output', 'pretty'], {
    env: withKey,
  })
  assert.match(pretty.stdout, /^req-b GET \/orders\/b 500 \d+\.\d ms began 20\d\d-\S+ \S+ UTC\n\n/)
  assert.match(pretty.stdout, /^ +\d+\.\d ms ▕ *● *▏ log {4}WARNING {2}not found order=b/m)
  assert.match(
    pretty.stdout,
    /^ +\d+\.\d ms ▕ *● *▏ ledger error {4}http\.GET\.\/orders\/b service=shop recorded=\+\d+\.\d ms index=\d+ tx_id=tx_/m,
  )
  const alone = await deedbox(['trace', 'req-a'], { env: { ...withKey, DEEDBOX_URL: ledger.url } })
  assert.deepEqual(
    items(alone.stdout).map(({ from }) => from),
    ['ledger'],
  )

  const nobody = await deedbox(['trace', 'req-c', file, '--url', ledger.url], { env: withKey })
  assert.deepEqual(nobody, { code: 0, stdout: '', stderr: 'Nothing is known of this request.\n' })
  const refused = await deedbox(['trace', 'req-b', file, '--url', ledger.url], {
    env: ledgerEnv(folder, { DEEDBOX_API_KEY: `${key.slice(0, -1)}g` }),
  })
  assert.equal(refused.code, 1)
  assert.equal(items(refused.stdout).length, 4)
  assert.match(refused.stderr, /^deedbox: The ledger at \S+ says: /)
  assert.equal(await stopLedger(ledger), 0)

  const gone = await deedbox(['trace', 'req-b', file, '--url', ledger.url], { env: withKey })
  assert.equal(gone.code, 1)
  assert.equal(items(gone.stdout).length, 4)
  assert.match(gone.stderr, /cannot be reached: nothing listens there\.$/m)
  const none = await deedbox(['trace', 'req-b', file, join(folder, 'none.log'), '--data', join(folder, 'no')])
  assert.equal(none.code, 1)
  assert.equal(items(none.stdout).length, 4)
  assert.match(none.stderr, /none\.log does not exist\.$/m)
  assert.match(none.stderr, /There is no ledger at /)
})

test('FA-57 FC-27 a trace joins tracked variables in, and shows the rest when their chest cannot be read', async t => {
  const folder = tempFolder(t)
  const file = join(folder, 'app.log')
  const line = (at: string, message: string) =>
    `{"time":"${at}","level":"INFO","message":"${message}","request_id":"req-v"}\n`
  writeFileSync(file, line('2026-01-01T12:00:00.100Z', 'begun') + line('2026-01-01T12:00:00.400Z', 'ended'))
  const chest = sqlite(join(folder, 'vars.db'))
  t.after(() => chest.close())
  const record = aRecord({ requestId: 'req-v', timestamp: Date.parse('2026-01-01T12:00:00.300Z') * 1_000 })
  await chest.write(
    entriesOf(record, [
      ['user\u001b', 'u1'],
      ['cart', { items: [1] }],
    ]),
  )
  await chest.write(entriesOf(aRecord({ requestId: 'req-other' }), [['user', 'u2']]))
  const url = `sqlite:${join(folder, 'vars.db')}`
  const env = ledgerEnv(folder)

  const joined = await deedbox(['trace', 'req-v', file, '--chest', url], { env })
  assert.deepEqual([joined.code, joined.stderr], [0, ''])
  assert.deepEqual(
    items(joined.stdout).map(({ from, offset_ms, line, entry }) => [
      from,
      offset_ms,
      line?.message ?? entry?.value,
    ]),
    [
      ['log', 0, 'begun'],
      ['chest', 200, 'u1'],
      ['chest', 200, { items: [1] }],
      ['log', 300, 'ended'],
    ],
  )
  const pretty = await deedbox(
    ['trace', 'req-v', '--chest', url, '--chest', `${url}?table=none`, '--output', 'pretty'],
    { env },
  )
  assert.match(
    pretty.stdout,
    /^ +0\.0 ms ▕●.*▏ chest {2}variable user\\u001b="u1" service=shop chest=SQLite\(name=flask_chest\)$/m,
  )
  assert.match(pretty.stdout, /chest {2}variable cart=\{"items":\[1\]\} /)

  for (const [other, code, said] of [
    [`${url}.gone`, 1, /there is no file/],
    ['postgres://app:hunter2@127.0.0.1:1/shop', 1, /PostgreSQL\(name=tracked_variables\).*ECONNREFUSED/],
  ] as const) {
    const rest = await deedbox(['trace', 'req-v', file, '--chest', other], { env })
    assert.equal(rest.code, code)
    assert.equal(items(rest.stdout).length, 2)
    assert.match(rest.stderr, said)
    assert.doesNotMatch(rest.stderr, /hunter2/)
  }
  assert.equal((await deedbox(['trace', 'req-v', file, '--chest', 'redis://x'], { env })).code, 2)
})

test('FA-57 a trace has all events of a request, however many pages they take, the oldest first', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key })
  const count = 1_100
  for (let from = 0; from < count; from += 550) {
    const events = Array.from({ length: 550 }, (_, i) => ({
      payload: 'no JSON',
      meta: {
        type: 'info',
        event_name: `step.n${from + i}`,
        service: 'shop',
        request_id: (from + i) % 2 === 0 ? 'even' : 'odd',
      },
    }))
    const response = await fetch(`${ledger.url}/v1/events/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(events),
    })
    assert.equal(response.status, 200)
  }
  const env = ledgerEnv(folder, { DEEDBOX_API_KEY: key })
  const expected = Array.from({ length: count / 2 }, (_, i) => `step.n${2 * i}`)
  for (const place of [
    ['--data', join(folder, 'data')],
    ['--url', `${ledger.url}/`],
  ]) {
    const { stdout, stderr } = await deedbox(['trace', 'even', ...place], { env })
    assert.equal(stderr, '')
    assert.deepEqual(
      items(stdout).map(({ event }) => event?.meta.event_name),
      expected,
    )
  }
  assert.equal(await stopLedger(ledger), 0)
})

test('FA-57 a trace goes through several files and formats, and finds the start by the request’s line', async t => {
  const folder = tempFolder(t)
  const [shop, billing] = [join(folder, 'shop.log'), join(folder, 'billing.gz')]
  const at = Date.parse('2026-11-29T18:00:00.000Z')
  writeFileSync(
    shop,
    `${[
      {
        '@timestamp': '2026-11-29T18:00:00.005Z',
        'log.level': 'info',
        message: 'one',
        'http.request.id': 'r',
      },
      {
        timestamp: '2026-11-29T18:00:00.020Z',
        level: 'INFO',
        message: 'log request',
        request_id: 'r',
        method: 'GET',
        path_with_query: '/',
        status_code: 200,
        elapsed: 0.02,
      },
    ]
      .map(line => JSON.stringify(line))
      .join('\n')}\nr is no JSON here\n`,
  )
  writeFileSync(
    billing,
    gzipSync(`${JSON.stringify({ level: 30, time: at + 10, msg: 'two', reqId: 'r' })}\n`),
  )
  const { stdout } = await deedbox(['trace', 'r', shop, billing])
  assert.deepEqual(
    items(stdout).map(({ offset_ms }) => offset_ms),
    [5, 10, 20],
  )
  for (const args of [
    [],
    ['r', shop, '--data', 'x', '--url', 'http://y'],
    ['r', '--url', 'nowhere'],
    ['r', '--output', 'text'],
  ]) {
    const wrong = await deedbox(['trace', ...args])
    assert.deepEqual([wrong.code, wrong.stdout], [2, ''], args.join(' '))
  }
  const help = await deedbox(['trace', '--help'])
  assert.match(help.stdout, /^Examples$/m)
})
