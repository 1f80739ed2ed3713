import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  exitCodes,
  formatCheckpoint,
  formatReceipt,
  formatVerifierKey,
  parseReceipt,
  signNote,
  type Verdict,
} from '@deedbox/tlog'
import { ed25519Cosigner, ed25519Signer, generateSigningKey, parseSigningKey } from '@deedbox/tlog/node'
import { appendErasure, takeAway } from '../../packages/ledger/src/testing/erased-ledger.ts'
import { smallLedger, tamper } from '../../packages/ledger/src/testing/tampered-ledger.ts'
import { openTestLedger } from '../../packages/ledger/src/testing/temp-ledger.ts'
import { deedbox, tempFolder } from './ledger-process.ts'

/** What the table's attempts have to work with. */
interface Stage {
  /** A ledger of seven entries. Each attempt has a copy of its own. */
  folder: string
  file(name: string, text: string): string
  key: string
  origin: string
  receipt: string
  /** Signs with the ledger's own key. */
  sign(size: number, root: Uint8Array): string
  cosigned: string
  witness: string
}

const at = (index: number) => `position = (1 << 40) + ${index}`
const root = new Uint8Array(32)
const data = ({ folder, key }: Stage) => ['--data', folder, '--key', key]

/** For each verdict of DESIGN §7.3 at least one call of the command that comes to it. */
const attempts: {
  verdict: Verdict
  what: string
  prepare: (stage: Stage) => string[] | Promise<string[]>
}[] = [
  { verdict: 'ok', what: 'a data folder', prepare: data },
  {
    verdict: 'ok',
    what: 'a receipt whose witness has signed',
    prepare: stage => [stage.file('r', stage.cosigned), '--key', stage.key, '--witness', stage.witness],
  },
  {
    verdict: 'ok_unpinned',
    what: 'a data folder without a key',
    prepare: ({ folder }) => ['--data', folder],
  },
  {
    verdict: 'ok_unwitnessed',
    what: 'a receipt that the witness has not signed',
    prepare: stage => [stage.file('r', stage.receipt), '--key', stage.key, '--witness', stage.witness],
  },
  {
    verdict: 'ok_unwitnessed',
    what: 'a data folder with a witness policy',
    prepare: stage => [...data(stage), '--witness', stage.witness],
  },
  {
    verdict: 'redacted_ok',
    what: 'an erased payload',
    async prepare(stage) {
      await appendErasure(stage.folder, { erased: [{ index: 2, parts: ['payload'] }] })
      takeAway(stage.folder, 2, 'payload')
      return data(stage)
    },
  },
  {
    verdict: 'content_mismatch',
    what: 'a changed payload',
    prepare(stage) {
      tamper(stage.folder, `UPDATE events SET payload = x'7b7d' WHERE ${at(2)}`)
      return data(stage)
    },
  },
  {
    verdict: 'content_mismatch',
    what: 'a receipt with another leaf',
    prepare(stage) {
      const receipt = parseReceipt(stage.receipt)
      const text = formatReceipt({ ...receipt, leaf: receipt.leaf.with(10, 0x37) })
      return [stage.file('r', text), '--key', stage.key]
    },
  },
  {
    verdict: 'content_missing',
    what: 'a payload gone without an erasure',
    prepare(stage) {
      takeAway(stage.folder, 2, 'payload')
      return data(stage)
    },
  },
  {
    verdict: 'index_mismatch',
    what: 'a search column that lies',
    prepare(stage) {
      tamper(stage.folder, `UPDATE events SET service = 'other' WHERE ${at(2)}`)
      return data(stage)
    },
  },
  {
    verdict: 'missing_index',
    what: 'a deleted event',
    prepare(stage) {
      tamper(stage.folder, `DELETE FROM events WHERE ${at(2)}`)
      return data(stage)
    },
  },
  {
    verdict: 'truncated',
    what: 'a kept checkpoint of a longer ledger',
    prepare: stage => [...data(stage), '--checkpoint', stage.file('kept', stage.sign(8, root))],
  },
  {
    verdict: 'truncated',
    what: 'an export that broke off',
    prepare: stage => [stage.file('e.jsonl', '{"index":0,"tx_id":"'), '--key', stage.key],
  },
  {
    verdict: 'fork',
    what: 'a kept checkpoint of another history',
    prepare: stage => [...data(stage), '--checkpoint', stage.file('kept', stage.sign(3, root))],
  },
  {
    verdict: 'bad_signature',
    what: "somebody else's key",
    prepare: ({ folder, origin }) => ['--data', folder, '--key', generateSigningKey(origin).verifierKey],
  },
  {
    verdict: 'unknown_version',
    what: 'a leaf of a later version',
    prepare(stage) {
      const later = `CAST(replace(CAST(leaf AS TEXT), '"v":1}', '"v":2}') AS BLOB)`
      tamper(stage.folder, `UPDATE events SET leaf = ${later} WHERE ${at(2)}`)
      return data(stage)
    },
  },
  {
    verdict: 'not_covered',
    what: 'a receipt beyond its checkpoint',
    prepare(stage) {
      const text = formatReceipt({ ...parseReceipt(stage.receipt), index: 7 })
      return [stage.file('r', text), '--key', stage.key]
    },
  },
  {
    verdict: 'nothing_checked',
    what: 'a ledger without entries',
    prepare: ({ folder }) => ['--data', join(folder, 'empty')],
  },
]

test('P6 F16 every verdict of the design has an attempt here', () => {
  const missing = Object.keys(exitCodes).filter(name => !attempts.some(({ verdict }) => verdict === name))
  assert.deepEqual(missing, [])
})

test('P1 P4 P6 P15 F10 F14 F16 the command ends with the exit code of its verdict, for every verdict', async t => {
  const { folder: original, keys } = await smallLedger(t)
  const ledger = await openTestLedger(t, original)
  const { origin } = ledger.about
  const event = ledger.search({ request_id: 'request-2' }).events[0]!
  const receipt = ledger.receipt(event.tx_id)
  const head = ledger.head()
  await ledger.close()
  const empty = await openTestLedger(t, join(original, 'empty'))
  await empty.close()

  const seed = parseSigningKey(readFileSync(join(original, 'keys', 'main.signing-key'), 'utf8').trim()).seed
  const own = ed25519Signer(origin, seed)
  const witnessSeed = new Uint8Array(32).fill(9)
  const witness = ed25519Cosigner('witness.example/w', witnessSeed, () => 1_700_000_000)
  const checkpoint = signNote(formatCheckpoint({ origin, size: head.size, root: head.root }), [own, witness])

  for (const { verdict, what, prepare } of attempts) {
    await t.test(`${what}: ${verdict}`, async () => {
      const folder = tempFolder(t)
      cpSync(original, folder, { recursive: true })
      const args = await prepare({
        folder,
        key: keys[0]!,
        origin,
        receipt,
        cosigned: formatReceipt({ ...parseReceipt(receipt), checkpoint }),
        witness: formatVerifierKey(witness.verifierKey),
        file(name, text) {
          const path = join(folder, name)
          writeFileSync(path, text)
          return path
        },
        sign: (size, hash) => signNote(formatCheckpoint({ origin, size, root: hash }), [own]),
      })
      const env = { ...process.env, DEEDBOX_GUARD: 'off' }
      const text = await deedbox(['verify', ...args], { env })
      assert.deepEqual(
        [text.stdout.split('\n')[0], text.code],
        [verdict, exitCodes[verdict]],
        text.stderr + text.stdout,
      )
      const saved = join(folder, 'saved')
      const json = await deedbox(['verify', ...args, '--json', '--save-checkpoint', saved], { env })
      assert.deepEqual([JSON.parse(json.stdout).verdict, json.code], [verdict, exitCodes[verdict]])
      assert.equal(existsSync(saved), exitCodes[verdict] < 10, 'a checkpoint that holds is kept, no other')
    })
  }
})

test('what cannot be meant is said, with exit code 2', async t => {
  const folder = tempFolder(t)
  writeFileSync(join(folder, 'r'), 'c2sp.org/tlog-proof@v1\n')
  const stranger = generateSigningKey('ledger.example/x').verifierKey
  for (const args of [
    ['--data', folder, '--url', 'http://127.0.0.1:1'],
    [join(folder, 'r'), '--resume', join(folder, 'p')],
    [join(folder, 'r'), '--checkpoint', join(folder, 'r')],
    ['--url', 'ftp://127.0.0.1/'],
    ['--url', 'http://user:word@127.0.0.1/'],
    ['--url', 'x'],
    ['--data', folder, '--witness', stranger],
    [folder],
  ]) {
    const { code, stderr } = await deedbox(['verify', ...args])
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr, /^deedbox: [^\n]+\n$/)
  }
  const gone = await deedbox(['verify', '--url', 'http://127.0.0.1:1', '--key', stranger])
  assert.equal(gone.code, 1)
  assert.match(
    gone.stderr,
    /^deedbox: http:\/\/127\.0\.0\.1:1\/ledgers\/main\/checkpoint cannot be read: .+\.\n$/,
  )
})
