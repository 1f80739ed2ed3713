import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import {
  assertVerdict,
  command,
  deedbox,
  ledgerEnv,
  printedKey,
  root,
  run,
  startLedger,
  stopLedger,
  tempFolder,
} from './ledger-process.ts'

const event = (payload: string) =>
  JSON.stringify({ payload, meta: { type: 'info', event_name: 'e2e.done', service: 'e2e' } })

async function post(url: string, key: string, payload: string): Promise<{ tx_id: string; index: number }> {
  const response = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: event(payload),
  })
  assert.equal(response.status, 202)
  return (await response.json()) as { tx_id: string; index: number }
}

test('the first start prints a key and three commands, and they work exactly as printed', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder)
  const lines = ledger
    .stdout()
    .split('\n')
    .map(line => line.slice(2))
  assert.equal(ledger.stdout().match(/deed_live_/g)?.length, 1, 'the key is printed once')
  const script = lines
    .slice(lines.findIndex(line => line.startsWith('export DEEDBOX_API_KEY=')))
    .filter(line => !line.startsWith('ree commands'))
  // npx finds the command from this repository's root, where the reader of the welcome is; the receipt goes elsewhere.
  const text = script.join('\n').replaceAll('receipt.tlog-proof', join(folder, 'receipt.tlog-proof'))
  const { code, stdout, stderr } = await run('bash', ['-euc', text], { cwd: root })
  assert.equal(code, 0, stdout + stderr)
  assert.match(stdout, /^tx_[0-9a-z]{24}\n/)
  assert.match(stdout, /"payload":"\{\\"amount\\":5\}"/)
  assert.match(stdout, /^ok$|\}ok\n/m)
  assert.equal(await stopLedger(ledger), 0)
})

test('a second start finds the data again and prints no key', async t => {
  const folder = tempFolder(t)
  const first = await startLedger(t, folder)
  const key = /deed_live_[\w-]+/.exec(first.stdout())?.[0] ?? ''
  const { tx_id } = await post(first.url, key, 'kept')
  await stopLedger(first)
  const second = await startLedger(t, folder)
  assert.doesNotMatch(second.stdout(), /deed_live_/)
  assert.match(second.stdout(), /, 2 entries\n/)
  assert.equal(printedKey(second), printedKey(first))
  const response = await fetch(`${second.url}/v1/events/${tx_id}`, {
    headers: { authorization: `Bearer ${key}` },
  })
  assert.equal(((await response.json()) as { payload: string }).payload, 'kept')
  assert.equal(statSync(join(folder, 'data')).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(join(folder, 'data', 'keys')), ['main.signing-key'])
})

test('IF-03 a bootstrap key is accepted, and no key ever appears in the output', async t => {
  const folder = tempFolder(t)
  const key = `deed_live_${'b'.repeat(43)}`
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key, LOG_LEVEL: 'DEBUG' })
  await post(ledger.url, key, 'x')
  assert.equal(
    (await fetch(`${ledger.url}/v1/events`, { headers: { authorization: 'Bearer wrong' } })).status,
    401,
  )
  await stopLedger(ledger)
  assert.doesNotMatch(ledger.stdout() + ledger.stderr(), /deed_live_/)
  assert.match(ledger.stderr(), /"message":"log request"/, 'the ledger observes itself with its own SDK')
  const again = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key })
  assert.match(again.stdout(), /, 2 entries\n/, 'the same key is not created twice')
  const short = await deedbox(['serve'], {
    env: ledgerEnv(join(folder, 'other'), { DEEDBOX_BOOTSTRAP_KEY: 'short' }),
  })
  assert.equal(short.code, 1)
  assert.match(short.stderr, /DEEDBOX_BOOTSTRAP_KEY/)
})

test('P1 R1.4 after one byte of a stored event changed, verify says content_mismatch with its index', async t => {
  const folder = tempFolder(t)
  const key = `deed_live_${'b'.repeat(43)}`
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key })
  const { tx_id, index } = await post(ledger.url, key, '{"amount":100}')
  await post(ledger.url, key, 'another')
  const receipt = await fetch(`${ledger.url}/v1/events/${tx_id}/receipt?disclose=payload`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const file = join(folder, 'receipt.tlog-proof')
  writeFileSync(file, await receipt.text())
  const vkey = printedKey(ledger)
  await assertVerdict(folder, vkey, 'ok')
  await stopLedger(ledger)

  const held = await deedbox(['verify', file, '--key', vkey])
  assert.deepEqual([held.code, held.stdout.split('\n')[0]], [0, 'ok'])
  assert.match(held.stdout, /payload +\{"amount":100\}/)
  const unpinned = await deedbox(['verify', file])
  assert.deepEqual([unpinned.code, unpinned.stdout.split('\n')[0]], [3, 'ok_unpinned'])

  const db = new DatabaseSync(join(folder, 'data', 'ledger.db'))
  db.prepare(
    "UPDATE events SET payload = CAST(replace(CAST(payload AS TEXT), '100', '900') AS BLOB) WHERE position = ?",
  ).run(2 ** 40 + index)
  db.close()
  const database = join(folder, 'data', 'ledger.db')
  assert.equal(
    (await deedbox(['verify', '--data', database, '--key', vkey])).code,
    10,
    'the file itself can be named',
  )
  const tampered = await assertVerdict(folder, vkey, 'content_mismatch')
  assert.equal(tampered.code, 10)
  assert.match(tampered.stdout, new RegExp(`content_mismatch at index ${index}: The payload`))
  // The receipt in the customer's hands still holds: it proves what was recorded.
  assert.equal((await deedbox(['verify', file, '--key', vkey])).code, 0)
})

test('P14 F17 a receipt that was touched anywhere does not verify', async t => {
  const folder = tempFolder(t)
  const key = `deed_live_${'b'.repeat(43)}`
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key })
  const { tx_id } = await post(ledger.url, key, 'x')
  const response = await fetch(`${ledger.url}/v1/events/${tx_id}/receipt`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const good = await response.text()
  const vkey = printedKey(ledger)
  const file = join(folder, 'r.tlog-proof')
  const verdictOf = async (text: string, pinned = vkey) => {
    writeFileSync(file, text)
    const { code, stdout } = await deedbox(['verify', file, '--key', pinned])
    return code === 0 ? 'ok' : (stdout.split('\n')[0] ?? '')
  }
  assert.equal(await verdictOf(good), 'ok')
  for (const touched of [
    good.replace(/^index 1$/m, 'index 0'),
    good.replace(/^2$/m, '3'),
    good.replace(/(— \S+ \S{20})./, (all, start) => start + (all.endsWith('A') ? 'B' : 'A')),
    `${good}x`,
    good.replace('\n\n', '\n'),
    '',
  ]) {
    assert.notEqual(await verdictOf(touched), 'ok', touched)
  }
  const stranger = 'ledger.example/acme+f1d8e151+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4'
  assert.equal(await verdictOf(good, stranger), 'bad_signature')
})

test('PORT and the other settings are checked, and a busy port is a sentence', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder)
  const port = new URL(ledger.url).port
  const busy = await deedbox(['serve'], { env: ledgerEnv(join(folder, 'b'), { PORT: port }) })
  assert.deepEqual(
    [busy.code, busy.stderr.split('\n').at(-2)],
    [
      1,
      `deedbox: Cannot listen on 127.0.0.1:${port}: another program listens there. Stop it or set PORT to another number.`,
    ],
  )
  for (const bad of ['abc', '70000', '-1', '80.5']) {
    const { code, stderr } = await deedbox(['serve'], { env: ledgerEnv(join(folder, 'c'), { PORT: bad }) })
    assert.deepEqual(
      [code, stderr],
      [2, `deedbox: The port (PORT, --port) is a number from 0 to 65535, not "${bad}".\n`],
    )
  }
  for (const [name, value] of [
    ['DEEDBOX_DATA', '/proc/nowhere/data'],
    ['DEEDBOX_GUARD', '/proc/nowhere/guard'],
    ['DEEDBOX_SIGNING_KEY', 'not a key'],
  ] as const) {
    const { code, stderr } = await deedbox(['serve'], {
      env: ledgerEnv(join(folder, 'e'), { [name]: value }),
    })
    assert.equal(code, 1, name)
    assert.match(stderr, /^deedbox: [^\n]+\n$/, name)
  }
  mkdirSync(join(folder, 'd', 'data'), { recursive: true })
  writeFileSync(
    join(folder, 'd', 'data', 'ledger.db'),
    'not a database, but long enough to be looked at by SQLite as one',
  )
  const foreign = await deedbox(['serve'], { env: ledgerEnv(join(folder, 'd')) })
  assert.equal(foreign.code, 1)
  assert.match(foreign.stderr, /^deedbox: The file .* is not a Deedbox ledger/)
})

test('each command has help with examples, and wrong calls exit with 2 and say what to do', async () => {
  for (const args of [['--help'], ['help'], ['serve', '--help'], ['verify', '--help']]) {
    const { code, stdout } = await deedbox(args)
    assert.equal(code, 0)
    assert.match(stdout, /^Usage: deedbox/)
    assert.match(stdout, /Examples/)
  }
  assert.equal(
    (await deedbox(['--version'])).stdout.trim(),
    JSON.parse(readFileSync(join(root, 'packages/deedbox/package.json'), 'utf8')).version,
  )
  for (const args of [
    [],
    ['nonsense'],
    ['serve', '--nonsense'],
    ['verify'],
    ['verify', 'a', 'b'],
    ['verify', 'missing.tlog-proof'],
    ['verify', command],
    ['verify', command, '--key', 'missing'],
  ]) {
    const { code, stderr, stdout } = await deedbox(args)
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr + stdout, /deedbox/)
    assert.doesNotMatch(stderr, /\n +at /)
  }
  const nothing = await deedbox(['verify', '--data', join(root, 'no-such-folder')])
  assert.equal(nothing.code, 1)
  assert.match(nothing.stderr, /^deedbox: There is no ledger at /)
})
