import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  assertVerdict,
  deedbox,
  ledgerEnv,
  printedKey,
  type Run,
  startLedger,
  stopLedger,
  tempFolder,
} from './ledger-process.ts'

const bootstrap = `deed_live_${'b'.repeat(43)}`
const event = JSON.stringify({ payload: 'x', meta: { type: 'info', event_name: 'e2e.done', service: 'e2e' } })

async function post(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: event,
  })
  await response.arrayBuffer()
  return response.status
}

const linesOf = ({ stdout }: Run) =>
  stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)

test('DESIGN §7.7 a revocation holds within a second in every process on the file', async t => {
  const folder = tempFolder(t)
  // At once: each finds no key and wants to store the bootstrap key.
  const [one, two] = await Promise.all([
    startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: bootstrap }),
    startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: bootstrap }),
  ])
  const env = ledgerEnv(folder)
  const admin = (
    await deedbox(['keys', 'create', '--name', 'admin', '--scopes', 'admin'], { env })
  ).stdout.trim()
  const made = await deedbox(['keys', 'create', '--name', 'ci', '--scopes', 'write', '--json'], { env })
  const { key, key_id: id } = linesOf(made)[0] as { key: string; key_id: string }
  assert.deepEqual([await post(one.url, key), await post(two.url, key)], [202, 202], 'new keys work at once')

  // Both hold the key in memory now. Whoever began after a second has to be refused, however slow the machine is.
  const answers: { began: number; status: number }[] = []
  let revokedAt = Number.POSITIVE_INFINITY
  const late = () => answers.filter(({ began }) => began >= revokedAt + 1_000)
  const ask = async (url: string) => {
    while (late().length < 40) {
      const began = performance.now()
      answers.push({ began, status: await post(url, key) })
    }
  }
  const revoke = async () => {
    while (answers.length < 20) await new Promise(setImmediate)
    const { status } = await fetch(`${one.url}/v1/keys/${id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${admin}` },
    })
    revokedAt = performance.now()
    assert.equal(status, 200)
  }
  await Promise.all([ask(one.url), ask(two.url), revoke()])
  assert(
    answers.some(({ status }) => status === 202),
    'the key was in use when it was revoked',
  )
  assert.deepEqual([...new Set(late().map(({ status }) => status))], [401])
  for (const { url } of [one, two]) assert.equal(await post(url, key), 401)

  await assertVerdict(folder, printedKey(one), 'ok')
  await Promise.all([stopLedger(one), stopLedger(two)])
})

test('deedbox keys: create, list, rotate and revoke on the data folder while the server runs', async t => {
  const folder = tempFolder(t)
  const server = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: bootstrap, LOG_LEVEL: 'DEBUG' })
  const env = ledgerEnv(folder)
  const keys = (...args: string[]) => deedbox(['keys', ...args], { env })
  const created = await keys('create', '--name', 'ci', '--scopes', 'write,read', '--expires', '90d')
  assert.equal(created.code, 0, created.stderr)
  assert.match(created.stdout, /^deed_live_[\w-]{43}\n$/, 'the key alone, for $(…)')
  const text = created.stdout.trim()
  assert.match(
    created.stderr,
    /^The key key_\S+ \(ci\) has the scopes write, read\. It expires at .* shown this once: keep it now\.\n$/,
  )
  assert.equal(await post(server.url, text), 202)

  const listed = linesOf(await keys('list'))
  assert.deepEqual(
    listed.map(view => [view.name, view.state]),
    [
      ['bootstrap', 'active'],
      ['ci', 'active'],
    ],
  )
  const id = String(listed[1]?.key_id)
  const rotated = await keys('rotate', id, '--overlap', '1h')
  assert.match(rotated.stderr, new RegExp(`takes the place of ${id}, which works until `))
  const next = rotated.stdout.trim()
  assert.deepEqual([await post(server.url, text), await post(server.url, next)], [202, 202])
  const nextId = String(
    linesOf(await keys('list')).find(view => view.state === 'active' && view.name === 'ci')?.key_id,
  )
  const atOnce = await keys('rotate', nextId, '--overlap', '0')
  assert.match(atOnce.stderr, new RegExp(`takes the place of ${nextId}, which no longer works`))

  const revoked = await keys('revoke', id)
  assert.deepEqual([revoked.code, revoked.stdout], [0, ''])
  assert.match(revoked.stderr, /is revoked; within a second every process refuses it\.\n$/)
  const again = await keys('revoke', id)
  assert.deepEqual([again.code, again.stderr], [1, `deedbox: The key ${id} was revoked already.\n`])

  await stopLedger(server)
  const used = linesOf(await keys('list')).filter(view => view.last_used_at !== null)
  assert.deepEqual(
    used.map(view => view.key_id).sort(),
    [id, nextId].sort(),
    'the closing server stored the last uses',
  )
  const said =
    server.stdout() + server.stderr() + [created, rotated, atOnce, revoked].map(run => run.stderr).join('')
  assert.doesNotMatch(said, /deed_live_/)
  await assertVerdict(folder, printedKey(server), 'ok')
})

test('deedbox keys: the same over HTTP with an admin key', async t => {
  const folder = tempFolder(t)
  const server = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: bootstrap, LOG_LEVEL: 'DEBUG' })
  const admin = (
    await deedbox(['keys', 'create', '--name', 'admin', '--scopes', 'admin'], { env: ledgerEnv(folder) })
  ).stdout.trim()
  // No data folder: what is done, is done over HTTP.
  const env = ledgerEnv(join(folder, 'nowhere'), { DEEDBOX_URL: `${server.url}/`, DEEDBOX_API_KEY: admin })
  const keys = (...args: string[]) => deedbox(['keys', ...args], { env })
  const created = await keys('create', '--name', 'shop', '--scopes', 'write', '--expires', '1h', '--json')
  assert.equal(created.code, 0, created.stderr)
  const { key, key_id: id, principal } = linesOf(created)[0] as Record<string, string>
  assert.equal(await post(server.url, key!), 202)
  const rotated = linesOf(await keys('rotate', id!, '--json'))[0]!
  assert.equal(rotated.principal, principal)
  assert.equal(await post(server.url, String(rotated.key)), 202)
  const revoked = linesOf(await keys('revoke', id!, '--json'))[0]!
  assert.deepEqual([revoked.key_id, revoked.state], [id, 'revoked'])
  assert.equal(await post(server.url, key!), 401)
  assert.equal(linesOf(await keys('list')).length, 4)
  assert.equal(existsSync(join(folder, 'nowhere')), false)

  const byName = await keys('revoke', 'shop')
  assert.equal(byName.code, 1)
  assert.match(byName.stderr, new RegExp(`^deedbox: "shop" is a name, .*: ${id} or ${rotated.key_id}\\.\n$`))
  const unknown = await keys('revoke', 'key_none')
  assert.match(
    unknown.stderr,
    /^deedbox: The ledger has no API key with the id "key_none"\. "deedbox keys list"/,
  )
  const pasted = await keys('revoke', String(rotated.key))
  assert.deepEqual([pasted.code, pasted.stderr.includes(String(rotated.key))], [2, false])
  const notAdmin = await deedbox(['keys', 'list'], { env: { ...env, DEEDBOX_API_KEY: bootstrap } })
  assert.equal(notAdmin.code, 1)
  assert.match(notAdmin.stderr, /^deedbox: The ledger answered 403: .*"admin"/)
  await stopLedger(server)
  const gone = await keys('list')
  assert.match(gone.stderr, /^deedbox: The ledger at http:\S+ cannot be reached: /)
  assert.equal(gone.code, 1)
  assert.doesNotMatch(server.stdout() + server.stderr(), /deed_live_/)
})

test('deedbox keys called wrongly: exit code 2 and a sentence; no ledger is made', async t => {
  const folder = tempFolder(t)
  const env = ledgerEnv(folder)
  const wrong: [string[], RegExp][] = [
    [[], /create, list, rotate or revoke/],
    [['delete', 'key_x'], /create, list, rotate or revoke/],
    [['create', '--name', 'x'], /needs --name and --scopes/],
    [['create', '--name', 'x', '--scopes', 'root'], /one or more of write, read/],
    [['create', '--name', 'x', '--scopes', 'read', '--expires', 'soon'], /--expires takes a time span/],
    [['create', 'x', '--name', 'x', '--scopes', 'read'], /takes no further word/],
    [['list', '--overlap', '1h'], /"deedbox keys list" takes no --overlap/],
    [['rotate'], /takes the id of one key/],
    [['revoke', 'key_x', 'key_y'], /takes the id of one key/],
    [['revoke', 'key_x', '--force'], /--force/],
    [['list', '--url', 'http://127.0.0.1:1', '--data', folder], /--url or by --data/],
    [['list', '--url', 'ledger.example'], /DEEDBOX_API_KEY/],
  ]
  for (const [args, sentence] of wrong) {
    const { code, stdout, stderr } = await deedbox(['keys', ...args], { env })
    assert.deepEqual([code, stdout], [2, ''], `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, sentence)
    assert.doesNotMatch(stderr, /\n {4}at /)
  }
  const noUrl = await deedbox(['keys', 'list', '--url', 'ledger.example'], {
    env: { ...env, DEEDBOX_API_KEY: bootstrap },
  })
  assert.deepEqual(
    [noUrl.code, noUrl.stderr],
    [2, 'deedbox: "ledger.example" is no base URL such as https://ledger.example.\n'],
  )
  const nothing = await deedbox(['keys', 'list'], { env })
  assert.equal(nothing.code, 1)
  assert.match(nothing.stderr, /^deedbox: There is no ledger at .*ledger\.db\. Name its folder/)
  assert.equal(existsSync(join(folder, 'data')), false)
  const help = await deedbox(['keys', '--help'], { env })
  assert.deepEqual(
    [help.code, help.stdout.split('\n')[0]],
    [0, 'Usage: deedbox keys <create | list | rotate | revoke> [options]'],
  )
})
