import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { checkReceipt, parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import {
  command,
  deedbox,
  ledgerEnv,
  printedKey,
  run,
  startLedger,
  stopLedger,
  tempFolder,
} from './ledger-process.ts'

const key = `deed_live_${'e'.repeat(43)}`
const bootstrap = { DEEDBOX_BOOTSTRAP_KEY: key }

async function post(url: string, from: number, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, i) => ({
    payload: JSON.stringify({ n: from + i }),
    meta: {
      type: (from + i) % 4 === 0 ? 'error' : 'info',
      event_name: 'demo.done',
      service: 'demo',
      request_id: `r${from + i}`,
      actor: { id: `u${(from + i) % 3}` },
    },
  }))
  const response = await fetch(`${url}/v1/events/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  assert.equal(response.status, 200, await response.text())
}

interface Following {
  child: ChildProcess
  stderr(): string
  /** Resolves to the request ids so far once `count` of them have come. */
  ids(count: number): Promise<string[]>
}

/** Starts `deedbox events --follow` into a pipe. */
function follow(t: TestContext, args: string[], env: NodeJS.ProcessEnv): Following {
  const child = spawn(process.execPath, [command, 'events', '--follow', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    err += text
  })
  const lines = () =>
    out
      .slice(0, out.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1)
  return {
    child,
    stderr: () => err,
    async ids(count) {
      while (lines().length < count) {
        const [, ended] = await Promise.race([
          once(child.stdout, 'data').then(() => ['', false] as const),
          once(child, 'exit').then(() => ['', true] as const),
        ])
        if (ended && lines().length < count) throw new Error(`events --follow ended: ${err}`)
      }
      return lines().map(line => String(JSON.parse(line).request_id))
    },
  }
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `r${from + i}`)

test('a tail over HTTP outlives kill -9 of its ledger: nothing is missed, nothing doubled', async t => {
  const folder = tempFolder(t)
  const first = await startLedger(t, folder, bootstrap)
  await post(first.url, 0, 5)
  const env = ledgerEnv(folder, { DEEDBOX_URL: first.url, DEEDBOX_API_KEY: key })
  const tail = follow(t, ['-n', '3', '--kind', 'event', '--event-name', 'demo.done'], env)
  assert.deepEqual(await tail.ids(3), ['r2', 'r3', 'r4'])
  await post(first.url, 5, 250)
  assert.deepEqual(await tail.ids(253), numbered(2, 255))
  let ledger = first
  let next = 255
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    // What is written just before the end may or may not have been shown by then.
    await post(ledger.url, next, 20)
    await stopLedger(ledger, signal)
    ledger = await startLedger(t, folder, { ...bootstrap, PORT: new URL(first.url).port })
    await post(ledger.url, next + 20, 20)
    next += 40
    assert.deepEqual(await tail.ids(next - 2), numbered(2, next))
  }
  assert.match(tail.stderr(), /^deedbox: The .*Trying again in 0\.5 s\.$/m)
  assert.match(tail.stderr(), /^deedbox: Connected again; going on after index \d+\.$/m)
  const gone = once(tail.child, 'exit')
  tail.child.kill('SIGINT')
  assert.deepEqual(await gone, [0, null])
  assert.equal(await stopLedger(ledger), 0)
})

test('a tail of the data folder shows what the running server writes, and filters it', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, bootstrap)
  await post(ledger.url, 0, 8)
  const tail = follow(t, ['--type', 'error'], ledgerEnv(folder))
  assert.deepEqual(await tail.ids(2), ['r0', 'r4'])
  await post(ledger.url, 8, 8)
  assert.deepEqual(await tail.ids(4), ['r0', 'r4', 'r8', 'r12'])
  const gone = once(tail.child, 'exit')
  tail.child.kill('SIGTERM')
  assert.deepEqual(await gone, [0, null])
})

test('events: the newest that fit, oldest first; the same from folder and URL; calls that are wrong', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, bootstrap)
  await post(ledger.url, 0, 700)
  const env = ledgerEnv(folder, { DEEDBOX_API_KEY: key })
  const ids = (stdout: string) =>
    stdout
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line).request_id)
  const here = await deedbox(['events', '-n', '600', '--kind', 'event'], { env })
  assert.deepEqual(ids(here.stdout), numbered(100, 700))
  const there = await deedbox(['events', '-n', '600', '--kind', 'event', '--url', ledger.url], { env })
  assert.equal(there.stdout, here.stdout)
  const chosen = await deedbox(['events', '--actor', 'u1', '--since', '1h', '-n', '2'], { env })
  assert.deepEqual(ids(chosen.stdout), ['r694', 'r697'])
  assert.equal((await deedbox(['events', '--until', '1h'], { env })).stdout, '')
  for (const [args, sentence] of [
    [['--type', 'fatal'], /error, warning, info, success/],
    [['--since', 'yesterday'], /--since takes a time such as/],
    [['-n', 'many'], /--number takes a whole number up to 10000/],
    [['--url', ledger.url, '--data', folder], /not by both/],
    [['--follow', '--until', '1h'], /--until has no meaning/],
    [['--nonsense'], /nonsense/],
    [['--url', 'ledger.example'], /no base URL/],
  ] as [string[], RegExp][]) {
    const wrong = await deedbox(['events', ...args], { env })
    assert.deepEqual([wrong.code, wrong.stdout], [2, ''], args.join(' '))
    assert.match(wrong.stderr, sentence)
  }
  const missing = await deedbox(['events', '--data', join(folder, 'nowhere')], { env })
  assert.deepEqual([missing.code, existsSync(join(folder, 'nowhere'))], [1, false])
  assert.match(missing.stderr, /There is no ledger at .*nowhere/)
  const unknown = await deedbox(['events', '--url', ledger.url], {
    env: { ...env, DEEDBOX_API_KEY: `deed_live_${'f'.repeat(43)}` },
  })
  assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
  assert.match(unknown.stderr, /not valid here/)
  // Whoever reads has had enough after a line: no complaint, no stack trace.
  const pipe = `"${process.execPath}" "${command}" events -n 700 | head -n 1; exit \${PIPESTATUS[0]}`
  const cut = await run('bash', ['-c', pipe], { env })
  assert.deepEqual([cut.code, cut.stderr, cut.stdout.split('\n').length], [0, '', 2])
  await stopLedger(ledger)
  const refused = await deedbox(['events', '--url', ledger.url], { env })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /cannot be reached: nothing listens there\.$/m)
})

test('export: the same from folder and URL, for its owner only, whole or not at all, over nothing that is there', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, bootstrap)
  await post(ledger.url, 0, 300)
  const env = ledgerEnv(folder, { DEEDBOX_API_KEY: key })
  const file = join(folder, 'all.jsonl')
  const made = await deedbox(['export', '--out', file], { env })
  assert.equal(made.code, 0, made.stderr)
  assert.match(
    made.stderr,
    /^301 entries in .*all\.jsonl\n {2}range {7}0 to 301 \(exclusive\), nothing left out/,
  )
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  const pinned = [parseVerifierKey(nodeCrypto.sha256, printedKey(ledger))]
  const { receipt } = JSON.parse(lines[17] ?? '')
  assert.equal(checkReceipt(nodeCrypto, receipt, pinned).verdict, 'ok')
  const piped = await deedbox(['export', '--url', ledger.url], { env })
  assert.equal(piped.code, 0, piped.stderr)
  assert.deepEqual(piped.stdout.split('\n').slice(0, 301), lines.slice(0, 301))
  const again = await deedbox(['export', '--out', file, '--url', ledger.url], { env })
  assert.equal(again.code, 2)
  assert.match(again.stderr, /all\.jsonl is there already\. Name another file, or add --force\./)
  const part = await deedbox(
    ['export', '--out', file, '--force', '--url', ledger.url, '--from', '10', '--actor', 'u2'],
    { env },
  )
  assert.match(part.stderr, /range {7}10 to 301 \(exclusive\), those that fit the filters/)
  const { manifest } = JSON.parse(readFileSync(file, 'utf8').split('\n').at(-2) ?? '')
  assert.deepEqual([manifest.filters, manifest.from, manifest.count], [{ actor: 'u2' }, 10, 97])
  for (const args of [
    ['--to', '302'],
    ['--from', '5', '--to', '4'],
    ['--from', 'x'],
    ['--out', folder],
  ]) {
    const wrong = await deedbox(['export', '--out', join(folder, 'wrong'), ...args], { env })
    assert.notEqual(wrong.code, 0, args.join(' '))
    assert.match(wrong.stderr, /^deedbox: [^\n]+\n$/)
  }
  assert.deepEqual(
    readdirSync(folder).filter(name => name.includes('wrong')),
    [],
  )
  assert.equal(await stopLedger(ledger), 0)
  assert.match(ledger.stdout() + ledger.stderr(), /"event content read".*"range":\{"from":0,"to":301\}/)
})

test('F16 an export whose connection breaks leaves nothing behind and says so', async t => {
  const folder = tempFolder(t)
  const server = createServer((_request, response) => {
    response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'deedbox-from': '0',
      'deedbox-to': '9',
    })
    response.write('{"index":0}\n{"index":1}\n', () => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = ledgerEnv(folder, { DEEDBOX_API_KEY: key })
  const file = join(folder, 'broken.jsonl')
  writeFileSync(file, 'what was there')
  const broken = await deedbox(['export', '--out', file, '--force', '--url', url], { env })
  assert.equal(broken.code, 1)
  assert.match(broken.stderr, /^deedbox: .*The export is not whole\.\n$/)
  assert.deepEqual([readdirSync(folder), readFileSync(file, 'utf8')], [['broken.jsonl'], 'what was there'])
})

test('stats: one object in a pipe, the same picture of the ledger from folder and URL', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, bootstrap)
  await post(ledger.url, 0, 40)
  const env = ledgerEnv(folder, { DEEDBOX_API_KEY: key })
  const here = JSON.parse((await deedbox(['stats', '--interval', 'day'], { env })).stdout)
  const there = JSON.parse(
    (await deedbox(['stats', '--interval', 'day', '--url', ledger.url], { env })).stdout,
  )
  assert.deepEqual([here.size, here.counted, here.complete, here.api_keys], [41, 41, true, 1])
  assert.deepEqual(here.guard, { good: true, says: 'agrees with the file' })
  assert(here.file_bytes > 0 && Date.parse(here.first_at) <= Date.parse(here.newest_at))
  assert.deepEqual([there.file_bytes, there.api_keys], [null, null])
  for (const name of [
    'origin',
    'size',
    'first_at',
    'newest_at',
    'counted',
    'buckets',
    'facets',
    'interval',
  ]) {
    assert.deepEqual(there[name], here[name], name)
  }
  const errors = JSON.parse((await deedbox(['stats', '--type', 'error'], { env })).stdout)
  assert.deepEqual([errors.size, errors.counted], [41, 10])
  const wrong = await deedbox(['stats', '--interval', 'year'], { env })
  assert.deepEqual([wrong.code, wrong.stdout], [2, ''])
  for (const name of ['events', 'export', 'stats']) {
    const help = await deedbox([name, '--help'], { env })
    assert.equal(help.code, 0)
    for (const part of [
      'Usage: deedbox',
      'Options',
      'Exit codes',
      'Examples',
      '--event-name',
      '--data',
      '--url',
    ]) {
      assert(help.stdout.includes(part), `${name}: ${part}`)
    }
    assert(
      help.stdout.split('\n').every(line => line.length <= 120),
      name,
    )
  }
})
