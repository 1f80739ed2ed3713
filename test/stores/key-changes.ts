import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AdminChange,
  adminSubmission,
  openWriterOn,
  type Submission,
} from '../../packages/ledger/src/sequencer/index.ts'
import type { ApiKeyRow } from '../../packages/ledger/src/store/index.ts'
import { numbered, type StoreHarness } from './conformance.ts'
import { type Fault, FaultyStore } from './faulty-store.ts'

function keyRow(n: number, ledgerId: number): ApiKeyRow {
  const hash = new Uint8Array(32).fill(n)
  const own = { keyId: `key_${n}`, principal: 'writer_1', name: 'n', hash, scopes: ['write'] }
  const times = { createdAt: 0, expiresAt: null, revokedAt: null, lastUsedAt: null }
  return { ...own, ...times, ledgerId, replacedBy: null }
}

function changing(name: string, record: object, adminChange: AdminChange): Submission {
  return { ...adminSubmission(`deedbox.key.${name}`, record, 'r'), adminChange }
}

function creation(row: ApiKeyRow): Submission {
  return changing('created', said(row), { do: 'create_key', row })
}

function rotation(row: ApiKeyRow, replaces: string): Submission {
  const record = { ...said(row), replaces, replaced_expires_at: 5 }
  return changing('rotated', record, { do: 'rotate_key', row, replaces, replacedExpiresAt: 5 })
}

function said({ keyId, principal, name, scopes, hash, expiresAt }: ApiKeyRow): object {
  const hex = Buffer.from(hash).toString('hex')
  return { key_id: keyId, principal, name, scopes, hash: hex, expires_at: expiresAt }
}

const steps: Fault['step'][] = ['apiKey', 'updateApiKey', 'insertApiKey', 'insertEvents', 'commit']

/** What a store owes to the API keys: the change and the leaf that records it are one, whatever fails. */
export function keyChangeConformance(harness: StoreHarness): void {
  for (const step of steps) {
    for (const when of ['before', 'after'] as const) {
      test(`P13 P26 ${harness.name}: a rotation whose ${step} fails ${when} its effect is whole or not there`, async t => {
        const place = await harness.newPlace(t)
        const store = new FaultyStore(await harness.openStore(place))
        const writer = await openWriterOn(store, harness.config(place))
        t.after(() => writer.close())
        const { ledgerId } = writer.ledger
        await writer.append([creation(keyRow(1, ledgerId))])
        const batch = [numbered(1, 'k1'), rotation(keyRow(2, ledgerId), 'key_1'), numbered(2, 'k2')]
        store.arm({ step, when, times: 1 })
        await assert.rejects(writer.append(batch), error =>
          ['storage_failed', 'outcome_unknown'].includes((error as { code: string }).code),
        )
        assert.equal(store.struck, 1)
        const during = await harness.checkLog(place)
        assert.equal(during.verdict, 'ok', JSON.stringify(during.findings))
        const isStored = during.size === 4
        const [first, rotated, second] = await writer.append(batch)
        assert.deepEqual(
          [first, second].map(result => 'duplicate' in result! && result.duplicate),
          [isStored, isStored],
        )
        // A rotation has no idempotency key: one that is stored already no longer applies, and leaves no second leaf.
        assert.equal('refused' in rotated! ? rotated.refused : 'made', isStored ? 'key_conflict' : 'made')
        const { verdict, size, findings } = await harness.checkLog(place)
        assert.deepEqual([verdict, size], ['ok', 4], JSON.stringify(findings))
      })
    }
  }

  test(`${harness.name}: a note about the use of keys that cannot be stored takes no event with it`, async t => {
    const place = await harness.newPlace(t)
    const store = new FaultyStore(await harness.openStore(place))
    const writer = await openWriterOn(store, harness.config(place))
    t.after(() => writer.close())
    await writer.append([creation(keyRow(1, writer.ledger.ledgerId))])
    for (const step of ['touchApiKeys', 'commit'] as const) {
      store.arm({ step, when: 'before', times: 1 })
      const noting = writer.touchKeys([{ keyId: 'key_1', at: 1 }])
      const appended = writer.append([numbered(1)])
      await assert.rejects(noting)
      assert.equal((await appended).length, 1)
    }
    const { verdict, size } = await harness.checkLog(place)
    assert.deepEqual([verdict, size], ['ok', 3])
  })
}
