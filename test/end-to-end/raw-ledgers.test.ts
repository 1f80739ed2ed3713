import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { deedbox, ledgerEnv, startLedger, stopLedger, tempFolder } from './ledger-process.ts'

const key = `deed_live_${'e'.repeat(43)}`

/** One member of each line. */
const lines = (text: string, member: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line)[member])

test('deedbox ledgers adds raw ledgers to a folder and to a running server, and verify has a verdict on each', async t => {
  const folder = tempFolder(t)
  const env = ledgerEnv(folder)
  const nothing = await deedbox(['ledgers', 'list'], { env })
  assert.deepEqual([nothing.code, existsSync(join(folder, 'data'))], [1, false], nothing.stderr)
  await stopLedger(await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key }))

  const created = await deedbox(
    ['ledgers', 'create', 'certs', '--raw', '--origin', 'log.example.com/certs'],
    { env },
  )
  assert.equal(created.code, 0, created.stderr)
  const { verifier_keys: certsKeys, ...certs } = JSON.parse(created.stdout)
  assert.deepEqual(
    [certs.name, certs.kind, certs.origin, certs.size],
    ['certs', 'raw', 'log.example.com/certs', 0],
  )
  const again = await deedbox(['ledgers', 'create', 'certs', '--raw'], { env })
  assert.deepEqual(
    [again.code, again.stderr],
    [1, 'deedbox: There is a ledger "certs" already. Choose another name.\n'],
  )

  const newKey = async (...args: string[]) =>
    (await deedbox(['keys', 'create', '--name', 'e2e', '--scopes', ...args], { env })).stdout.trim()
  const admin = await newKey('admin')
  const writer = await newKey('write', '--ledger', 'certs')
  const server = await startLedger(t, folder)
  const remote = { ...env, DEEDBOX_URL: server.url, DEEDBOX_API_KEY: admin }
  const builds = await deedbox(['ledgers', 'create', 'builds', '--raw'], { env: remote })
  assert.equal(builds.code, 0, builds.stderr)
  const listed = await deedbox(['ledgers', 'list', '--url', server.url], { env: remote })
  assert.deepEqual(lines(listed.stdout, 'name'), ['main', 'certs', 'builds'])
  const refused = await deedbox(['ledgers', 'list'], { env: { ...remote, DEEDBOX_API_KEY: key } })
  assert.deepEqual([refused.code, /scope "admin"/.test(refused.stderr)], [1, true], refused.stderr)
  for (const body of ['one', 'two']) {
    const answer = await fetch(`${server.url}/ledgers/certs/add`, {
      method: 'POST',
      headers: { authorization: `Bearer ${writer}` },
      body,
    })
    assert.equal(answer.status, 200, await answer.text())
  }
  const reader = await deedbox(
    ['keys', 'create', '--name', 'far', '--scopes', 'read', '--ledger', 'builds', '--json'],
    { env: remote },
  )
  assert.equal(JSON.parse(reader.stdout).ledger, 'builds', reader.stderr)
  for (const args of [
    ['write,admin', '--ledger', 'certs'],
    ['write', '--ledger', 'none'],
  ]) {
    const wrong = await deedbox(['keys', 'create', '--name', 'x', '--scopes', ...args], { env })
    assert.deepEqual([wrong.code, wrong.stdout], [1, ''], wrong.stderr)
  }
  const keys = await deedbox(['keys', 'list'], { env })
  assert.deepEqual(lines(keys.stdout, 'ledger').toSorted(), ['builds', 'certs', 'main', 'main'])
  await stopLedger(server)
  assert.deepEqual(readdirSync(join(folder, 'data', 'keys')).toSorted(), [
    'builds.signing-key',
    'certs.signing-key',
    'main.signing-key',
  ])

  const last = await deedbox(['ledgers', 'list'], { env })
  const verifierKeys = lines(last.stdout, 'verifier_keys').map(keys => String((keys as string[])[0]))
  const pins = verifierKeys.flatMap(pin => ['--key', pin])
  const data = join(folder, 'data')
  const sound = await deedbox(['verify', '--data', data, ...pins], { env })
  assert.equal(sound.code, 0, sound.stdout)
  const blocks = sound.stdout.split('\n\n').map(block => block.split('\n')[0])
  assert.deepEqual(blocks, ['ok', 'ok', 'nothing_checked'])
  assert.match(sound.stdout, /re-read +2 of 2 entries of a raw ledger/)
  const unpinned = await deedbox(['verify', '--data', data, '--key', verifierKeys[0] ?? ''], { env })
  assert.equal(unpinned.code, 3, 'the worst verdict decides')
  const empty = await deedbox(['verify', '--data', data, '--ledger', 'builds', ...pins], { env })
  assert.equal(empty.code, 19, 'of one ledger: nothing was checked')

  const db = new DatabaseSync(join(data, 'ledger.db'))
  db.exec(`UPDATE events SET leaf = CAST('tWo' AS BLOB) WHERE kind = 'raw' AND leaf = CAST('two' AS BLOB)`)
  db.close()
  const tampered = await deedbox(['verify', '--data', data, '--json', ...pins], { env })
  assert.equal(tampered.code, 10, tampered.stdout)
  const reports = tampered.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual(
    reports.map(({ ledger, verdict }) => [ledger, verdict]),
    [
      ['main', 'ok'],
      ['certs', 'content_mismatch'],
      ['builds', 'nothing_checked'],
    ],
  )
  const flipped = reports[1].findings.find(
    (finding: { verdict: string }) => finding.verdict === 'content_mismatch',
  )
  assert.equal(flipped.index, 1)
  const alone = await deedbox(['verify', '--data', data, '--ledger', 'main', ...pins.slice(0, 2)], { env })
  assert.equal(alone.code, 0, 'one ledger by its name')
  assert.deepEqual(certsKeys, [verifierKeys[1]])
})

test('deedbox ledgers says what was called wrongly', async t => {
  const folder = tempFolder(t)
  const env = ledgerEnv(folder)
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const wrong = [
    [],
    ['remove', 'x'],
    ['create'],
    ['create', 'x'],
    ['create', 'x', 'y', '--raw'],
    ['list', 'x'],
    ['list', '--raw'],
    ['list', '--data', folder, '--url', 'http://localhost:1'],
    ['list', '--url', 'ftp://x'],
    ['list', '--nonsense'],
  ]
  for (const args of wrong) {
    const run = await deedbox(['ledgers', ...args], { env: { ...env, DEEDBOX_API_KEY: key } })
    assert.equal(run.code, 2, `${args.join(' ')}: ${run.stderr}`)
    assert.match(run.stderr, /^deedbox: .+\n$/)
  }
  const nobody = await deedbox(['ledgers', 'list', '--url', 'http://127.0.0.1:9'], {
    env: { ...env, DEEDBOX_API_KEY: key },
  })
  assert.deepEqual([nobody.code, /No ledger answers/.test(nobody.stderr)], [1, true], nobody.stderr)
  const help = await deedbox(['ledgers', '--help'], { env })
  assert.deepEqual([help.code, /Exit codes/.test(help.stdout)], [0, true])
})
