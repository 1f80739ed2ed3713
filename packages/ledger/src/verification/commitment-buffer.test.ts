import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { commitmentInput, parts } from '@deedbox/tlog'
import { CommitmentBuffer, txIdLength } from './commitment-buffer.ts'

test('P17 the commitments are those of commitmentInput, whatever was computed before', () => {
  for (const origin of ['ledger.example/a', '_', 'zürich.example/löschung', 'x'.repeat(255)]) {
    const buffer = new CommitmentBuffer(origin)
    for (const length of [70_000, 0, 1, 300, 65_536, 2]) {
      for (const part of parts) {
        const salt = randomBytes(32)
        const content = randomBytes(length)
        const txId = `tx_${randomBytes(12).toString('hex')}`
        assert.equal(txId.length, txIdLength)
        const bytes = Buffer.concat([Buffer.from(txId), Buffer.from('--'), salt, content, randomBytes(7)])
        const expected = hash('sha256', commitmentInput(salt, origin, txId, part, content), 'base64url')
        assert.equal(buffer.commit(part, bytes, 0, txIdLength + 2, length), expected)
      }
    }
  }
})
