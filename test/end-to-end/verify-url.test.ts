import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { deedbox, ledgerEnv, printedKey, startLedger, stopLedger, tempFolder } from './ledger-process.ts'

const key = `deed_live_${'b'.repeat(43)}`

async function postMany(url: string, count: number): Promise<void> {
  const item = (n: number) => ({
    payload: JSON.stringify({ n }),
    meta: { type: 'info', event_name: 'e2e.done', service: 'e2e' },
  })
  const response = await fetch(`${url}/v1/events/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(Array.from({ length: count }, (_, n) => item(n))),
  })
  assert.equal(response.status, 200)
  // A checkpoint becomes public at most once a second.
  for (;;) {
    const headers = { authorization: `Bearer ${key}` }
    const text = await (await fetch(`${url}/ledgers/main/checkpoint`, { headers })).text()
    if (Number(text.split('\n')[1]) >= count) return
  }
}

test('P4 P12 F10 a log is verified from outside, and next time against the checkpoint that was kept', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key })
  await postMany(ledger.url, 600)
  const vkey = printedKey(ledger)
  const kept = join(folder, 'kept')
  const env = ledgerEnv(folder, { DEEDBOX_API_KEY: key })
  const first = await deedbox(['verify', '--url', ledger.url, '--key', vkey, '--save-checkpoint', kept], {
    env,
  })
  assert.deepEqual([first.code, first.stdout.split('\n')[0]], [0, 'ok'], first.stdout + first.stderr)
  assert.match(first.stdout, /read +601 of 601 leaves of events, and every hash tile/)
  assert.match(first.stdout, /Any content: the log has only the leaves/)
  assert.equal(readFileSync(kept, 'utf8').split('\n')[1], '601')

  await postMany(ledger.url, 700)
  const again = ['verify', '--url', `${ledger.url}/ledgers/main/`, '--key', vkey, '--checkpoint', kept]
  const second = await deedbox([...again, '--save-checkpoint', kept, '--resume', join(folder, 'p')], { env })
  assert.deepEqual([second.code, second.stdout.split('\n')[0]], [0, 'ok'], second.stdout + second.stderr)
  assert.match(second.stdout, /the checkpoint or guard at hand reaches to entry 600/)
  assert.equal(existsSync(join(folder, 'p')), false)

  const { DEEDBOX_API_KEY, ...without } = env
  const closed = await deedbox(again, { env: without })
  assert.equal(closed.code, 1)
  assert.match(closed.stderr, /the answer is 401\. It is not public: set DEEDBOX_API_KEY/)
  const elsewhere = await deedbox(again, { env: { ...env, DEEDBOX_URL: 'http://127.0.0.1:1' } })
  assert.equal(elsewhere.code, 1, 'the key is of another server, so it was not sent')

  await stopLedger(ledger)
  const db = new DatabaseSync(join(folder, 'data', 'ledger.db'))
  db.exec(
    'UPDATE tiles SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB) WHERE level = 0 AND n = 1',
  )
  db.close()
  const tampered = await startLedger(t, folder)
  const third = await deedbox(['verify', '--url', tampered.url, '--key', vkey, '--checkpoint', kept], { env })
  assert.deepEqual([third.code, third.stdout.split('\n')[0]], [10, 'content_mismatch'], third.stderr)
  assert.match(third.stdout, /content_mismatch at index 256: Tile 1 of level 0 is not that of the entries/)
})

test('F17 what the ledger exports is verified line by line, and one changed byte is found', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key })
  await postMany(ledger.url, 300)
  const env = ledgerEnv(folder, { DEEDBOX_API_KEY: key })
  const file = join(folder, 'all.jsonl')
  const exported = await deedbox(['export', '--url', ledger.url, '--out', file], { env })
  assert.equal(exported.code, 0, exported.stderr)
  const verify = ['verify', file, '--key', printedKey(ledger)]
  const sound = await deedbox(verify)
  assert.deepEqual([sound.code, sound.stdout.split('\n')[0]], [0, 'ok'], sound.stdout + sound.stderr)
  assert.match(sound.stdout, /checked +301 events of the entries 0 to 300, every part that is shown/)
  writeFileSync(file, readFileSync(file, 'utf8').replace('{\\"n\\":77}', '{\\"n\\":78}'))
  const changed = await deedbox(verify)
  assert.deepEqual([changed.code, changed.stdout.split('\n')[0]], [10, 'content_mismatch'])
  assert.match(
    changed.stdout,
    /content_mismatch at index 78: The payload of event 78 is not what was committed to/,
  )
})
