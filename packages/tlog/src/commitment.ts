// Commitments: how a leaf vouches for content without containing it.
//
// A leaf is public and lasts for ever; what people did must be erasable. So the leaf holds, for each of the
// four parts of an event, only a hash: of the part's bytes and of 32 random bytes, the salt, that belong to
// that part alone. Whoever knows bytes and salt can show that they are what was committed to. Once both are
// gone the hash says nothing: with 256 unknown bits in front, no dictionary finds the value, and equal values
// look different.
//
//     deedbox-commit/v1 \n                       what kind of hash this is
//     <salt: 32 bytes>
//     <origin> \n <tx_id> \n <part> \n           where it belongs: it cannot be moved to another event
//     <content: the rest>
//
// That input must split in one way only, or one hash would stand for two contents: a salt that might be
// longer could swallow the names, and a copy of them inside the content would pass for the real ones. Hence
// the salt has one length, and no name contains a newline. A plain hash is enough: what HMAC adds protects a
// key that serves for many messages, and a salt serves for one.

import { encodeUtf8 } from './encoding.ts'
import { TlogError } from './errors.ts'

/** The committed parts of an event, in the order in which they are written and checked. */
export const parts = ['core', 'context', 'payload', 'server'] as const

/**
 * `core`: type, name, service, environment. `context`: the rest of meta. `payload`: as sent. `server`: what
 * the ledger added.
 */
export type Part = (typeof parts)[number]

/** Bytes of a salt. */
export const saltLength = 32

const domain = encodeUtf8('deedbox-commit/v1\n')

/**
 * The bytes whose SHA-256 is the commitment:
 * `deedbox-commit/v1\n` ‖ salt ‖ origin `\n` txId `\n` part `\n` ‖ content.
 * @param salt 32 bytes from a source of randomness, used for nothing else
 * @throws TlogError `malformed_leaf` for a salt of another length, or an origin or id with a newline: no leaf
 * holds such a commitment; `malformed_text` for an origin or id without UTF-8 form
 */
export function commitmentInput(
  salt: Uint8Array,
  origin: string,
  txId: string,
  part: Part,
  content: Uint8Array,
): Uint8Array {
  if (salt.length !== saltLength) {
    throw new TlogError(
      'malformed_leaf',
      `The salt of a commitment has ${saltLength} bytes, not ${salt.length}.`,
    )
  }
  if (origin.includes('\n') || txId.includes('\n')) {
    throw new TlogError('malformed_leaf', 'A commitment is made for an origin and an id without newlines.')
  }
  const place = encodeUtf8(`${origin}\n${txId}\n${part}\n`)
  const input = new Uint8Array(domain.length + saltLength + place.length + content.length)
  input.set(domain)
  input.set(salt, domain.length)
  input.set(place, domain.length + saltLength)
  input.set(content, domain.length + saltLength + place.length)
  return input
}
