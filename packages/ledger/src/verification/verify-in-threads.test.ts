import assert from 'node:assert/strict'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseVerifierKey } from '@deedbox/tlog'
import { generateSigningKey, nodeCrypto } from '@deedbox/tlog/node'
import { openSqliteReader } from '../store/index.ts'
import { tamper } from '../testing/tampered-ledger.ts'
import { openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import {
  type DataCheck,
  type DataReport,
  type ThreadOptions,
  type VerificationState,
  verifyData,
  verifyInThreads,
} from './index.ts'

const stretch = 16_384
const events = 2 * stretch + 100

async function verify(
  folder: string,
  check: DataCheck,
  options: ThreadOptions = { threads: 2 },
): Promise<DataReport> {
  const path = join(folder, 'ledger.db')
  const reader = openSqliteReader(path)
  try {
    return await verifyInThreads(reader, path, reader.ledgers()[0]!, check, options)
  } finally {
    reader.close()
  }
}

function verifyHere(folder: string, check: DataCheck): DataReport {
  const reader = openSqliteReader(join(folder, 'ledger.db'))
  try {
    return verifyData(reader, reader.ledgers()[0]!, check)
  } finally {
    reader.close()
  }
}

/** A ledger of three stretches, the last one short. */
async function largeLedger(t: TestContext): Promise<{ folder: string; check: DataCheck }> {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  for (let n = 0; n < events; n += 1000) {
    const length = Math.min(1000, events - n)
    const batch = Array.from({ length }, (_, i) => testEvent(n + i, { idempotencyKey: `k${n + i}` }))
    await ledger.appendBatch(batch)
  }
  await ledger.close()
  const pinned = ledger.about.verifierKeys.map(key => parseVerifierKey(nodeCrypto.sha256, key))
  return { folder, check: { pinned } }
}

/** Verifies until the first stretch was taken, and hands out the state of that moment. */
async function interrupted(folder: string, check: DataCheck): Promise<VerificationState> {
  const stop = new AbortController()
  let state: VerificationState | undefined
  const save = (now: () => VerificationState) => {
    state ??= JSON.parse(JSON.stringify(now())) as VerificationState
    stop.abort(new Error('stopped'))
  }
  await assert.rejects(verify(folder, check, { threads: 2, save, signal: stop.signal }), /stopped/)
  return state!
}

test('P1 threads find what one thread finds; an interrupted verification goes on where it ended', async t => {
  const { folder, check } = await largeLedger(t)
  const sound = await verify(folder, check)
  assert.deepEqual(sound, verifyHere(folder, check))
  assert.deepEqual([sound.verdict, sound.checked], ['ok', events])

  const resume = await interrupted(folder, check)
  assert.equal(resume.tree.size, stretch)
  const resumed = await verify(folder, { ...check, resume })
  assert.deepEqual({ ...resumed, earlier: [], keptSize: 0 }, sound)
  assert.equal(resumed.keptSize, events, 'the head of the earlier run is one more checkpoint')
  assert.deepEqual(
    resumed.earlier.map(({ from, to }) => [from, to]),
    [[0, stretch]],
  )

  await t.test(
    'a kept checkpoint below the place where an earlier run ended is proved all the same',
    async () => {
      const reader = openSqliteReader(join(folder, 'ledger.db'))
      const ledger = reader.ledgers()[0]!
      const [first] = reader.inspection().publishedCheckpoints(ledger.ledgerId)
      reader.close()
      assert(first !== undefined && first.size < stretch)
      const report = await verify(folder, { ...check, resume, kept: first.note })
      assert.deepEqual([report.verdict, report.keptSize], ['ok', events])
      const other = await checkpointOfAnotherHistory(t, folder)
      const forked = await verify(folder, { ...check, resume, kept: other })
      assert.equal(forked.verdict, 'fork')
    },
  )

  await t.test(
    'a state of another ledger, of other keys or out of joint is refused with a sentence',
    async () => {
      const stranger = parseVerifierKey(nodeCrypto.sha256, generateSigningKey('a.example/b').verifierKey)
      for (const [state, pinned] of [
        [{ ...resume, origin: 'other.example' }, check.pinned],
        [resume, [stranger]],
        [resume, []],
        [{ ...resume, tree: { ...resume.tree, size: stretch + 1 } }, check.pinned],
        [{ ...resume, acts: undefined }, check.pinned],
      ] as [VerificationState, DataCheck['pinned']][]) {
        await assert.rejects(verify(folder, { pinned, resume: state }), {
          code: 'invalid_option',
          message: /^The progress of the earlier run does not fit: .+\.$/,
        })
      }
    },
  )

  await t.test('a state whose tree is another one leads to a fork, never to ok', async () => {
    const shifted = { ...resume, tree: { ...resume.tree, size: 0, tiles: [] } }
    await assert.rejects(verify(folder, { ...check, resume: shifted }), { code: 'invalid_option' })
  })

  const attacks: [string, string, number][] = [
    ['content_mismatch', "UPDATE events SET payload = x'7b7d'", 5],
    ['content_missing', 'UPDATE events SET payload = NULL, payload_salt = NULL', 20_000],
    ['index_mismatch', "UPDATE events SET service = 'other'", events - 1],
    ['index_mismatch', 'UPDATE events SET ledger_id = 9', stretch],
    ['missing_index', 'DELETE FROM events', stretch + 1],
  ]
  for (const [verdict, sql, index] of attacks) {
    await t.test(`P1 F14 ${sql} in stretch ${Math.floor(index / stretch)}: ${verdict}`, async () => {
      const copy = tempFolder(t)
      cpSync(join(folder, 'ledger.db'), join(copy, 'ledger.db'))
      tamper(copy, `${sql} WHERE position = (1 << 40) + ${index}`)
      const report = await verify(copy, check)
      assert.deepEqual(report, verifyHere(copy, check))
      assert.deepEqual([report.verdict, report.findings[0]?.index], [verdict, index])
    })
  }

  await t.test('writers go on while threads read', async () => {
    const ledger = await openTestLedger(t, folder)
    const writing = Promise.all(Array.from({ length: 50 }, (_, n) => ledger.append(testEvent(1e6 + n))))
    const during = await verify(folder, check)
    await writing
    await ledger.close()
    assert.equal(during.verdict, 'ok', JSON.stringify(during.findings))
  })
})

/** A checkpoint of 100 entries that the ledger's own key signed for other ones. */
async function checkpointOfAnotherHistory(t: TestContext, folder: string): Promise<string> {
  const signingKey = readFileSync(join(folder, 'keys', 'main.signing-key'), 'utf8').trim()
  const ledger = await openTestLedger(t, tempFolder(t), { signingKey })
  await ledger.appendBatch(Array.from({ length: 100 }, (_, n) => testEvent(n)))
  const { note } = ledger.head()
  await ledger.close()
  return note
}
