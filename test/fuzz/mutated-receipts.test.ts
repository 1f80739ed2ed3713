// Receipts and checkpoints that were changed: what is still accepted says what a genuine one said.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkReceipt,
  decodeUtf8,
  encodeBase64,
  encodeUtf8,
  formatProofFile,
  formatReceipt,
  openCheckpoint,
  parseNote,
  parseProofFile,
  parseReceipt,
  type Receipt,
  TlogError,
  type TlogErrorCode,
  type VerifierKey,
} from '@deedbox/tlog'
import { browserCrypto } from '@deedbox/tlog/browser'
import { nodeCrypto } from '@deedbox/tlog/node'
import { log, witness } from '../../packages/tlog/src/testing/vectors.ts'
import { fuzz, requireReached } from './fuzz.ts'
import { mutate, mutateText, numberEdges } from './mutator.ts'
import type { Random } from './random.ts'
import {
  disclosures,
  disclosureText,
  logKey,
  notes,
  receipts,
  statementOf,
  statements,
  witnessKey,
} from './tlog-samples.ts'

const receiptErrors: TlogErrorCode[] = [
  'malformed_proof',
  'malformed_note',
  'malformed_checkpoint',
  'malformed_cosignature',
  'malformed_key',
  'unsupported_key',
]
const refusals = ['bad_signature', 'content_mismatch', 'not_covered', 'unknown_version']

/** The outcome of checking; asserts that an accepted receipt says nothing that no genuine one said. */
function outcome(text: string | Uint8Array, pinned: readonly VerifierKey[], crypto = nodeCrypto): string {
  try {
    const { verdict, receipt, checkpoint, leaf } = checkReceipt(crypto, text, pinned)
    if (verdict !== (pinned.length > 0 ? 'ok' : 'ok_unpinned')) {
      assert.ok(refusals.includes(verdict), `the verdict ${verdict}`)
      return verdict
    }
    assert.ok(statements.has(statementOf(receipt)), 'it says what no genuine receipt says')
    const { origin, size, root } = JSON.parse(statementOf(receipt))
    assert.deepEqual([checkpoint?.origin, checkpoint?.size], [origin, size])
    assert.equal(encodeBase64(checkpoint?.root ?? new Uint8Array()), root)
    assert.equal(leaf?.ledger, log.origin)
    for (const [part, shown] of Object.entries(receipt.disclosed)) {
      assert.equal(
        disclosureText(shown),
        disclosures.get(part as 'core'),
        `a ${part} that is not the event's`,
      )
    }
    // Canonical: this text is the only one for what was read, and beyond what was checked it holds nothing but the
    // key that is not believed, signatures of others, and fewer or more of the true parts.
    assert.equal(formatReceipt(receipt), typeof text === 'string' ? text : decodeUtf8(text))
    assert.equal(essence(receipt), genuineEssence.get(statementOf(receipt)))
    return verdict
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    assert.ok(receiptErrors.includes(error.code), `checkReceipt throws ${error.code}: ${error.message}`)
    return error.code
  }
}

/** The text of a receipt without what a holder may change: other people's signatures, the key, the disclosures. */
function essence(receipt: Receipt): string {
  const { text, signatures } = parseNote(receipt.checkpoint)
  const own = signatures.find(({ name, keyId }) => name === logKey.name && keyId === logKey.keyId)
  const line = encodeBase64(own?.signature ?? new Uint8Array())
  return formatReceipt({ ...receipt, checkpoint: `${text}\n${line}`, verifierKey: '', disclosed: {} })
}

const genuineEssence = new Map(
  receipts.map(text => [statementOf(parseReceipt(text)), essence(parseReceipt(text))] as const),
)

const extras = receipts.map(text => parseProofFile(text).extra!)

/** One member of a receipt replaced: by that of another, by an edge, or by mutated bytes. */
function changedMember(random: Random, receipt: Receipt): Receipt {
  const other = parseReceipt(random.pick(receipts))
  const member = random.pick(['index', 'leaf', 'proof', 'checkpoint', 'verifierKey', 'disclosed'] as const)
  if (random.once(3)) return { ...receipt, [member]: other[member] }
  const changed = (bytes: Uint8Array) => mutate(random, bytes, [other.leaf, ...other.proof])
  switch (member) {
    case 'index':
      return { ...receipt, index: Number(random.pick(numberEdges)) || receipt.index + random.pick([-1, 1]) }
    case 'leaf':
      return { ...receipt, leaf: changed(receipt.leaf) }
    case 'proof':
      return {
        ...receipt,
        proof: [...receipt.proof, ...other.proof].slice(random.below(4), random.below(12)),
      }
    case 'checkpoint':
      return { ...receipt, checkpoint: mutateText(random, receipt.checkpoint, notes) }
    case 'verifierKey':
      return { ...receipt, verifierKey: mutateText(random, receipt.verifierKey, [witness.verifierKey]) }
    default: {
      const shown = Object.entries(receipt.disclosed).map(([part, { salt, content }]) => [
        part,
        random.once(2) ? { salt, content: changed(content) } : { salt: changed(salt), content },
      ])
      return { ...receipt, disclosed: Object.fromEntries(shown) }
    }
  }
}

/** A changed receipt as text: in its letters, inside its extra line, or in its members, written properly again. */
function changedReceipt(random: Random): string | Uint8Array {
  const text = random.pick(receipts)
  switch (random.below(4)) {
    case 0:
      return mutateText(random, text, receipts)
    case 1:
      return mutate(random, encodeUtf8(text), receipts.map(encodeUtf8))
    case 2: {
      const extra = mutate(random, parseProofFile(text).extra!, extras)
      return formatProofFile({ ...parseProofFile(text), extra })
    }
    default:
      try {
        return formatReceipt(changedMember(random, parseReceipt(text)))
      } catch (error) {
        // What cannot be written at all, such as an index of −1.
        if (error instanceof TlogError) return text
        throw error
      }
  }
}

test('P14 P17 F17 no mutated receipt is accepted unless it says exactly what a genuine one says', () => {
  const seen = new Map<string, number>()
  for (const text of receipts) assert.equal(outcome(text, [logKey]), 'ok')
  fuzz('receipts', 5_000, (random, note) => {
    const text = changedReceipt(random)
    note(text)
    const pinned = random.pick([[logKey], [logKey, witnessKey], []])
    const found = outcome(text, pinned)
    seen.set(found, (seen.get(found) ?? 0) + 1)
  })
  const wanted = ['ok', 'bad_signature', 'content_mismatch', 'malformed_note', 'malformed_proof']
  requireReached(Object.fromEntries(wanted.map(name => [name, seen.get(name) ?? 0])))
})

test('P27 node and browser judge every mutated receipt alike', () => {
  fuzz('both', 300, (random, note) => {
    const text = changedReceipt(random)
    note(text)
    assert.equal(outcome(text, [logKey], browserCrypto), outcome(text, [logKey], nodeCrypto))
  })
})

test('P14 P15 P18 a mutated checkpoint is accepted only with the very lines that the log signed', () => {
  const genuine = new Set(notes.map(note => parseNote(note).text))
  const cosigned = new Set(
    notes.flatMap(note => parseNote(note).signatures.map(line => JSON.stringify(line))),
  )
  let accepted = 0
  fuzz('checkpoints', 4_000, (random, note) => {
    const text = mutateText(random, random.pick(notes), notes)
    note(text)
    try {
      const opened = openCheckpoint(nodeCrypto, text, [logKey, witnessKey])
      accepted++
      assert.ok(genuine.has(opened.note.text), 'the log never signed this')
      assert.deepEqual(opened.extensions, [])
      for (const { name, keyId, signature } of opened.note.verified) {
        assert.ok(
          cosigned.has(JSON.stringify({ name, keyId, signature })),
          `nobody made this signature of ${name}`,
        )
      }
    } catch (error) {
      if (!(error instanceof TlogError)) throw error
    }
  })
  requireReached({ accepted })
})
