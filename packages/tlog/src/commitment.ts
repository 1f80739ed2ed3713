/**
 * Commitments: how a leaf vouches for content without containing it.
 *
 * A leaf is public and lasts for ever; what people did must be erasable. So the leaf holds, for each of the four
 * parts of an event, a hash of the part's bytes and 32 random bytes (the salt) that belong to that part alone.
 * Who knows bytes and salt can show that they are what was committed to. Once both are gone the hash says
 * nothing: with 256 unknown bits in front, no dictionary finds the value, and equal values look different.
 *
 * The hash also covers the ledger's origin, the event's id and the part's name, so that a commitment cannot be
 * moved to another event. None of these contains a newline, so the input splits in one way only.
 */

/** The committed parts of an event, in the order in which they are written and checked. */
export const parts = ['core', 'context', 'payload', 'server'] as const

/** `core`: type, name, service, environment. `context`: the rest of meta. `server`: what the ledger added. */
export type Part = (typeof parts)[number]

/** Bytes of a salt. */
export const saltLength = 32

const domain = 'deedbox-commit/v1\n'
const encoder = new TextEncoder()

/**
 * The bytes whose SHA-256 is the commitment (DESIGN §7.3):
 * `deedbox-commit/v1\n` ‖ salt ‖ origin `\n` txId `\n` part `\n` ‖ content.
 */
export function commitmentInput(
  salt: Uint8Array,
  origin: string,
  txId: string,
  part: Part,
  content: Uint8Array,
): Uint8Array {
  const name = encoder.encode(`${origin}\n${txId}\n${part}\n`)
  const input = new Uint8Array(domain.length + salt.length + name.length + content.length)
  encoder.encodeInto(domain, input)
  input.set(salt, domain.length)
  input.set(name, domain.length + salt.length)
  input.set(content, domain.length + salt.length + name.length)
  return input
}
