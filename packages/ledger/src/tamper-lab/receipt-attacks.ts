import {
  encodeUtf8,
  formatCheckpoint,
  formatEventLeaf,
  formatReceipt,
  formatVerifierKey,
  leafHash,
  parseEventLeaf,
  parseReceipt,
  signNote,
} from '@deedbox/tlog'
import { ed25519Signer, generateSigningKey, nodeCrypto, parseSigningKey } from '@deedbox/tlog/node'
import { newTxId } from '../sequencer/index.ts'
import type { Attack } from './attack.ts'
import { origin } from './laboratory.ts'

const by = 'Whoever hands you a receipt'

/** Attacks on a file that goes from hand to hand; no ledger is near when it is checked. */
export const receiptAttacks: readonly Attack[] = [
  {
    name: 'alter-receipt',
    title: 'Alter a receipt',
    does: 'Gives the disclosed payload of a true receipt another amount.',
    by,
    perform(_, lab) {
      const receipt = parseReceipt(lab.kept.receipt)
      const { salt } = receipt.disclosed.payload!
      const payload = { salt, content: encodeUtf8('{"order":"order-150","amount":9150}') }
      return { what: 'receipt', text: formatReceipt({ ...receipt, disclosed: { payload } }) }
    },
    expected: { no_key: 'content_mismatch', key: 'content_mismatch' },
    takes: 'nothing more than checking it',
  },
  {
    name: 'invent-receipt',
    title: 'Make up a receipt',
    does: 'A tree of one invented leaf, signed under the name of the ledger with a key of his own, which the file names.',
    by,
    perform(_, lab) {
      const signer = ed25519Signer(origin, parseSigningKey(generateSigningKey(origin).privateKey).seed)
      const model = parseEventLeaf(parseReceipt(lab.kept.receipt).leaf)
      const leaf = encodeUtf8(formatEventLeaf({ ...model, tx_id: newTxId(0) }))
      const root = leafHash(nodeCrypto.sha256, leaf)
      const checkpoint = signNote(formatCheckpoint({ origin, size: 1, root }), [signer])
      const verifierKey = formatVerifierKey(signer.verifierKey)
      const text = formatReceipt({ index: 0, leaf, proof: [], checkpoint, verifierKey, disclosed: {} })
      return { what: 'receipt', text }
    },
    expected: { no_key: 'ok_unpinned', key: 'bad_signature' },
    takes: 'the verifier key, got before and elsewhere',
  },
]
