import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatCheckpoint, signNote } from '@deedbox/tlog'
import { ed25519Signer } from '@deedbox/tlog/node'
import { readCheckpoint } from './arguments.ts'
import { keepCheckpoint } from './kept-checkpoint.ts'
import { UsageError } from './usage-error.ts'

const signer = ed25519Signer('ledger.example', new Uint8Array(32).fill(1))
const note = (size: number) =>
  signNote(formatCheckpoint({ origin: 'ledger.example', size, root: new Uint8Array(32).fill(size) }), [
    signer,
  ])

test('P22 a kept checkpoint is only replaced by one that was compared with it, and nothing else ever', t => {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'kept.checkpoint')
  assert.match(keepCheckpoint(file, note(5), undefined), /The checkpoint of 5 entries is kept/)
  assert.match(keepCheckpoint(file, note(5), undefined), /holds this checkpoint of 5 entries already/)
  for (const compared of [undefined, note(2)]) {
    assert.match(
      keepCheckpoint(file, note(7), compared),
      /was not written: it holds a checkpoint of 5 entries/,
    )
  }
  assert.equal(readFileSync(file, 'utf8'), note(5))
  assert.match(keepCheckpoint(file, note(7), note(5)), /The checkpoint of 7 entries is kept/)
  assert.equal(readCheckpoint(file), note(7))
  writeFileSync(file, 'my notes')
  assert.match(keepCheckpoint(file, note(9), note(7)), /was not written: it holds no checkpoint/)
  assert.equal(readFileSync(file, 'utf8'), 'my notes')
  assert.throws(() => readCheckpoint(file), UsageError)
})
