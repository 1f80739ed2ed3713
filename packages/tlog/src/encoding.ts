// Bytes as text, one text per value.
//
// Verifiers compare, hash and sign texts. If two texts decode to the same bytes, an attacker may swap one for
// the other under a valid signature, and two programs may disagree about a file that both accepted. The
// decoders that come with JavaScript are of that kind: `Buffer.from(x, 'base64')` skips what it does not
// know, `Number` and `BigInt` read "0x10" and " 7 ", `TextDecoder` drops a byte order mark, `TextEncoder`
// turns a lone surrogate into U+FFFD. The decoders below accept exactly the text that their encoder produces
// and answer `undefined` for everything else, so that each caller can say in its own words what was wrong and
// where. They use nothing but what browsers and Node have in common.

import { TlogError } from './errors.ts'

const utf8Encoder = new TextEncoder()
// Not fatal, which is several times as fast: it only ever sees letters of our own.
const asciiDecoder = new TextDecoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const standard = codec(base64Alphabet, true)
const urlSafe = codec(base64Alphabet.replace('+', '-').replace('/', '_'), false)

/** Base64 with padding (RFC 4648 §4), the form of notes, checkpoints and proofs. */
export function encodeBase64(bytes: Uint8Array): string {
  return standard.encode(bytes)
}

/**
 * The inverse of {@link encodeBase64}; `undefined` unless `text` is the one canonical encoding of its bytes.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  return standard.decode(text)
}

/** Base64url without padding (RFC 4648 §5), the form of commitments in leaves. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return urlSafe.encode(bytes)
}

/**
 * The inverse of {@link encodeBase64Url}; `undefined` unless `text` is the one canonical encoding of its
 * bytes.
 */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  return urlSafe.decode(text)
}

interface Codec {
  encode(bytes: Uint8Array): string
  decode(text: string): Uint8Array | undefined
}

function codec(alphabet: string, padded: boolean): Codec {
  const letters = encodeUtf8(alphabet)
  const values = new Int8Array(128).fill(-1)
  for (const [value, letter] of letters.entries()) values[letter] = value
  const padding = 0x3d

  function encode(bytes: Uint8Array): string {
    const length = padded ? Math.ceil(bytes.length / 3) * 4 : Math.ceil((bytes.length * 4) / 3)
    const text = new Uint8Array(length).fill(padding)
    let at = 0
    let bits = 0
    let held = 0
    for (const byte of bytes) {
      held = (held << 8) | byte
      bits += 8
      while (bits >= 6) {
        bits -= 6
        text[at++] = letters[held >> bits]!
        held &= (1 << bits) - 1
      }
    }
    if (bits > 0) text[at] = letters[held << (6 - bits)]!
    return asciiDecoder.decode(text)
  }

  function decode(text: string): Uint8Array | undefined {
    let length = text.length
    if (padded) {
      if (length % 4 !== 0) return undefined
      length -= text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
    }
    if (length % 4 === 1) return undefined
    const bytes = new Uint8Array(Math.floor((length * 3) / 4))
    let at = 0
    let bits = 0
    let held = 0
    for (let i = 0; i < length; i++) {
      const value = values[text.charCodeAt(i)] ?? -1
      if (value < 0) return undefined
      held = (held << 6) | value
      bits += 6
      if (bits >= 8) {
        bits -= 8
        bytes[at++] = held >> bits
        held &= (1 << bits) - 1
      }
    }
    // What is left over carries no data; anything but zeros there would be a second spelling of the same
    // bytes.
    return held === 0 ? bytes : undefined
  }

  return { encode, decode }
}

const hexPairs: string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hexadecimal. */
export function encodeHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexPairs[byte]
  return text
}

/** The inverse of {@link encodeHex}; `undefined` for upper-case letters, odd lengths and anything else. */
export function decodeHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/**
 * A decimal number without sign, blank or leading zero, up to 2^53 − 1; `undefined` for every other text.
 * The C2SP formats write sizes, indices and times in this form.
 */
export function parseDecimal(text: string): number | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

/**
 * The UTF-8 bytes of a text.
 * @throws TlogError `malformed_text` for a lone surrogate, which would otherwise be replaced silently.
 */
export function encodeUtf8(text: string): Uint8Array {
  if (!text.isWellFormed()) {
    throw new TlogError('malformed_text', 'The text has a lone surrogate and therefore no UTF-8 form.')
  }
  return utf8Encoder.encode(text)
}

/** The text of UTF-8 bytes, a byte order mark kept as it is; `undefined` when they are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** Whether two byte strings are equal. Not constant-time: everything compared here is public. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false
  }
  return true
}

/** One new byte string made of several. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
