import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ReadableChest, sqlite } from 'deedbox/chests'
import { aRecord, entriesOf, eventually } from '../chests/entries.ts'
import { recordingServer } from '../chests/recording-server.ts'
import { command, deedbox, tempFolder } from './ledger-process.ts'

const cart = { items: Array.from({ length: 30 }, (_, n) => `item ${n}`) }

/** A file with so many requests of three variables each. */
async function filled(t: TestContext, file: string, requests: number): Promise<ReadableChest> {
  const chest = sqlite(file, { tags: { app: 'shop' } })
  t.after(() => chest.close())
  const variables = (n: number) =>
    [
      ['user', `u\u001b[31m${n}`],
      ['total', n],
      ['cart', cart],
    ] as const
  await chest.write(
    Array.from({ length: requests }, (_, n) =>
      entriesOf(aRecord({ requestId: `req-${n}`, timestamp: 1_767_268_800_123_000 + n }), variables(n)),
    ).flat(),
  )
  return chest
}

const lines = (text: string): string[] => text.split('\n').slice(0, -1)

test('FC-22 FC-27 deedbox chest show: a table for people, whole entries for programs', async t => {
  const folder = tempFolder(t)
  const url = `sqlite:${join(folder, 'vars.db')}`
  await filled(t, join(folder, 'vars.db'), 40)
  const table = await deedbox(['chest', 'show', url, '--limit', '3'])
  assert.deepEqual([table.code, table.stderr], [0, ''])
  const [head, first, second, third] = lines(table.stdout)
  assert.match(head ?? '', /^AT \(UTC\) +REQUEST ID +REQUEST +NAME +VALUE$/)
  assert.equal(
    first,
    '2026-01-01 12:00:00.123  req-39      GET /items/:id 200  user   "u\\u001b[31m39"',
    'nothing in a value drives the terminal, and a text is no number',
  )
  assert.match(second ?? '', / total {2}39$/)
  assert.match(third ?? '', / cart {3}\{"items":\["item 0",.{60,70}…$/)

  const json = await deedbox(['chest', 'show', url, '--request-id', 'req-7', '--name', 'cart', '--json'])
  const [only, ...more] = lines(json.stdout).map(line => JSON.parse(line))
  assert.deepEqual([json.code, more], [0, []])
  const { id, ...rest } = only
  assert.match(id, /\.2$/)
  assert.deepEqual(rest, {
    request_id: 'req-7',
    at: '2026-01-01T12:00:00.123007Z',
    name: 'cart',
    value: cart,
    service: 'shop',
    env: 'test',
    route: '/items/:id',
    method: 'GET',
    status: 200,
    error: null,
    tags: { app: 'shop' },
  })
  assert.equal(lines((await deedbox(['chest', 'show', url, '--json'])).stdout).length, 50)
  const none = await deedbox(['chest', 'show', url, '--name', 'none'])
  assert.deepEqual(none, { code: 0, stdout: '', stderr: 'SQLite(name=flask_chest) has no such entry.\n' })
})

test('FC-28 deedbox chest export moves all, and says what it did', async t => {
  const folder = tempFolder(t)
  const [source, target] = [join(folder, 'vars.db'), join(folder, 'out.db')]
  const from = await filled(t, source, 40)
  const before = await from.oldest(1_000)
  const args = [
    'chest',
    'export',
    `sqlite:${source}`,
    '--to',
    `sqlite:${target}?table=visits`,
    '--batch',
    '7',
  ]
  assert.deepEqual(await deedbox(args), { code: 0, stdout: '120 entries moved.\n', stderr: '' })
  assert.equal(await from.count(), 0)
  const to = sqlite(target, { name: 'visits' })
  t.after(() => to.close())
  assert.deepEqual(
    (await to.oldest(1_000)).map(({ entry }) => [entry.id, [...entry], entry.record]),
    before.map(({ entry }) => [entry.id, [...entry], entry.record]),
  )
  assert.deepEqual(await deedbox([...args, '--once']), { code: 0, stdout: '0 entries moved.\n', stderr: '' })

  await from.lease('another process', 600_000)
  const busy = await deedbox(args)
  assert.equal(busy.code, 1)
  assert.match(
    busy.stdout,
    /^Another process is exporting from SQLite\(name=flask_chest\): nothing was done\.$/m,
  )
})

test('FC-28 Ctrl-C ends deedbox chest export after the batch under way, and the same command goes on', async t => {
  const folder = tempFolder(t)
  const [source, target] = [join(folder, 'vars.db'), join(folder, 'out.db')]
  const from = await filled(t, source, 1_000)
  const to = sqlite(target)
  t.after(() => to.close())
  assert.equal(await to.count(), 0)
  const args = ['chest', 'export', `sqlite:${source}`, '--to', `sqlite:${target}`]
  const child = spawn(process.execPath, [command, ...args, '--batch', '1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text
  })
  const gone = once(child, 'close')
  await eventually(async () => (await to.count()) > 0)
  child.kill('SIGINT')
  assert.deepEqual(await gone, [1, null])
  const [moved, left] = [await to.count(), await from.count()]
  assert.equal(out, `Stopped: ${moved} entries moved, ${left} left. The same command goes on from there.\n`)
  assert.equal(moved + left, 3_000, 'no entry is in both')
  assert.equal((await deedbox(args)).stdout, `${left} entries moved.\n`)
  assert.equal(await to.count(), 3_000)
})

test('FC-26 FC-28 deedbox chest export --watch goes on when the target is back, and ends well', async t => {
  const folder = tempFolder(t)
  const [source, target] = [join(folder, 'vars.db'), join(folder, 'out.db')]
  const from = await filled(t, source, 2)
  // What is there is no database.
  writeFileSync(target, 'x'.repeat(5_000))
  const args = ['chest', 'export', `sqlite:${source}`, '--to', `sqlite:${target}`, '--interval', '1s']
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    said += text
  })
  const gone = once(child, 'close')
  await eventually(() => /^deedbox: export: the run failed, and the next one goes on: SQLite/m.test(said))
  assert.equal(await from.count(), 6)
  writeFileSync(target, '')
  await eventually(async () => (await from.count()) === 0)
  await from.write(entriesOf(aRecord(), [['late', true]]))
  await eventually(async () => (await from.count()) === 0)
  child.kill('SIGTERM')
  assert.deepEqual(await gone, [0, null])
  assert.match(said, /^deedbox: export: moved 6 entries$/m)
  const to = sqlite(target)
  t.after(() => to.close())
  assert.equal(await to.count(), 7)
})

test('FC-16 FC-27 deedbox chest export to every kind of target that is written only; tokens from the environment', async t => {
  const folder = tempFolder(t)
  const source = join(folder, 'vars.db')
  const from = await filled(t, source, 2)
  const before = await from.oldest(100)
  const server = await recordingServer()
  t.after(() => server.halt())
  const env = { ...process.env, INFLUX_TOKEN: 'from-the-environment' }
  const { host } = new URL(server.origin)
  const file = (name: string): string[] => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1)
  for (const [target, check] of [
    [
      `jsonl:${join(folder, 'out.jsonl')}`,
      () =>
        assert.deepEqual(
          file('out.jsonl')
            .map(line => JSON.parse(line).value)
            .slice(1, 3),
          [0, cart],
        ),
    ],
    [`csv:${join(folder, 'out.csv')}`, () => assert.equal(file('out.csv').length, 7)],
    [
      `http://app:hunter2@${host}/vars`,
      () => assert.equal(server.requests.splice(0).length, 2, 'one post for each request'),
    ],
    [
      `influx+http://${host}?org=shop&bucket=vars&measurement=visits`,
      () => {
        const [only] = server.requests.splice(0)
        assert.equal(only?.url, '/api/v2/write?org=shop&bucket=vars&precision=ns')
        assert.equal(only?.headers.authorization, 'Token from-the-environment')
        assert.match(
          only?.body ?? '',
          /^visits\S* .* 1767268800123000\d{3}\nvisits\S* .* 1767268800123001\d{3}$/,
        )
      },
    ],
  ] as const) {
    const ended = await deedbox(['chest', 'export', `sqlite:${source}`, '--to', target], { env })
    assert.deepEqual(ended, { code: 0, stdout: '6 entries moved.\n', stderr: '' })
    check()
    await from.write(before.map(({ entry }) => entry))
  }
  await server.halt()
  const down = await deedbox([
    'chest',
    'export',
    `sqlite:${source}`,
    '--to',
    `http://app:hunter2@${host}/vars`,
  ])
  assert.deepEqual([down.code, down.stdout], [1, ''])
  assert.match(
    down.stderr,
    /^deedbox: export: the run failed, and the next one goes on: HTTP\(.*ECONNREFUSED/m,
  )
  assert.doesNotMatch(down.stderr, /hunter2/)
  await server.start()
  const unreadable = await deedbox(['chest', 'show', `jsonl:${join(folder, 'out.jsonl')}`])
  assert.equal(unreadable.code, 2)
  assert.match(unreadable.stderr, /JSONLines\(.*\) can only be written/)
})

test('FC-22 deedbox chest says what is wrong with how it was called, and no password', async t => {
  const folder = tempFolder(t)
  const url = `sqlite:${join(folder, 'vars.db')}`
  await filled(t, join(folder, 'vars.db'), 1)
  for (const [args, code, said] of [
    [[], 2, /^deedbox: Say what to do: show or export\./],
    [['list', url], 2, /"list" is unknown/],
    [['show'], 2, /Name one chest/],
    [['show', url, '--to', url], 2, /--to is no option of "deedbox chest show"/],
    [['show', url, '--limit', '0'], 2, /--limit takes a whole number from 1 to 10000; not "0"/],
    [['show', `${url}x`], 1, /there is no file .*vars\.dbx\.$/m],
    [['show', 'redis://app:hunter2@db'], 2, /no URL of a chest\. There are: sqlite:/],
    [['export', url], 2, /--to/],
    [['export', url, '--to', url], 2, /from and to are the same chest/],
    [['export', url, '--to', `${url}2`, '--cron', 'daily'], 2, /no cron pattern/],
    [['export', url, '--to', `${url}2`, '--interval', '5'], 2, /--interval takes a span such as/],
    [['export', url, '--to', `${url}2`, '--once', '--watch'], 2, /take it or --watch/],
    [['export', `${url}x`, '--to', `${url}2`], 1, /there is no file/],
  ] as const) {
    const ended = await deedbox(['chest', ...args])
    assert.deepEqual([ended.code, ended.stdout], [code, ''], args.join(' '))
    assert.match(ended.stderr, said)
    assert.doesNotMatch(ended.stderr, /hunter2|\n {4}at /)
  }
  const { code, stdout } = await deedbox(['chest', '--help'])
  assert.equal(code, 0)
  assert.match(stdout, /deedbox chest export sqlite:vars\.db --to jsonl:vars\.jsonl/)
})
