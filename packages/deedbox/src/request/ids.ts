import { randomBytes, randomFillSync } from 'node:crypto'

/**
 * How request ids are made: a random UUID, a time-ordered UUID (RFC 9562 version 7), URL-safe base64 of the given
 * number of random bytes (`base64url-8` gives 11 characters, FA-13), or a function of the caller's.
 */
export type IdGenerator = 'uuid4' | 'uuid7' | `base64url-${number}` | (() => string)

/**
 * What becomes of an `X-Request-Id` that the client sent: it is the id, it is only recorded, or it stands before
 * a generated id and a full stop.
 */
export type InboundIdPolicy = 'trust' | 'replace' | 'prefix'

/** Ids that a test has put in place of random ones. */
export interface IdSource {
  requestId(): string
  uuid(version: 4 | 7): string
}

let source: IdSource | undefined

/** Puts ids of a test in place of random ones, or takes them away; process-wide. */
export function setIdSource(next: IdSource | undefined): void {
  source = next
}

/** The longest request id. (Ruling 6) */
export const longestId = 128

/** Whether a text can be a request id: 1 to 128 visible ASCII characters, so that it fits a header. (IF-09) */
export function isRequestId(text: string): boolean {
  if (text.length === 0 || text.length > longestId) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x21 || code > 0x7e) return false
  }
  return true
}

/**
 * Builds a generator that always answers with a valid request id: if the caller's function throws or gives
 * something that is none, a random UUID takes its place and `onBadId` is told.
 * @throws RangeError for a generator name that is not one of {@link IdGenerator}
 */
export function createIdGenerator(generator: IdGenerator, onBadId: () => void): () => string {
  if (generator === 'uuid4') return () => (source === undefined ? uuid4() : source.requestId())
  if (generator === 'uuid7') return () => (source === undefined ? uuid7() : source.requestId())
  if (typeof generator === 'function') {
    return () => {
      try {
        const id: unknown = generator()
        if (typeof id === 'string' && isRequestId(id)) return id
      } catch {
        // Treated like a bad id.
      }
      onBadId()
      return uuid4()
    }
  }
  const bytes = Number(/^base64url-(\d{1,2})$/.exec(generator)?.[1])
  if (!(bytes >= 4 && bytes <= 96)) {
    throw new RangeError(
      `"${generator}" is no id generator: use uuid4, uuid7, base64url-4 … base64url-96 or a function`,
    )
  }
  return () => (source === undefined ? randomBytes(bytes).toString('base64url') : source.requestId())
}

/** The id of a request, from what the client sent and the policy; see {@link InboundIdPolicy}. */
export function chooseRequestId(
  inbound: string | undefined,
  policy: InboundIdPolicy,
  generate: () => string,
): string {
  if (inbound === undefined || policy === 'replace') return generate()
  if (policy === 'trust') return inbound
  const own = generate()
  return `${inbound.slice(0, Math.max(0, longestId - own.length - 1))}.${own}`.slice(0, longestId)
}

const uuidLength = 36
/** An id that is kept keeps the text that it was cut from, so these are few. */
const uuidsAtOnce = 16
const randomPool = Buffer.allocUnsafeSlow(16 * 256)
let randomAt = randomPool.length
const uuidBytes = Buffer.allocUnsafeSlow(uuidLength * uuidsAtOnce)
let uuids = ''
let uuidAt = 0

/** A random UUID (RFC 9562 version 4), in a third of the time of Node's: they are rendered sixteen at a time. */
export function uuid4(): string {
  if (source !== undefined) return source.uuid(4)
  if (uuidAt === uuids.length) {
    renderUuids()
    uuidAt = 0
  }
  const at = uuidAt
  uuidAt += uuidLength
  return uuids.slice(at, uuidAt)
}

const hexDigits = Buffer.from('0123456789abcdef')
const hyphen = 45

function renderUuids(): void {
  if (randomAt === randomPool.length) {
    randomFillSync(randomPool)
    randomAt = 0
  }
  let to = 0
  for (let uuid = 0; uuid < uuidsAtOnce; uuid++) {
    for (let i = 0; i < 16; i++) {
      let byte = randomPool[randomAt++]!
      if (i === 6) byte = (byte & 0x0f) | 0x40
      else if (i === 8) byte = (byte & 0x3f) | 0x80
      if (i === 4 || i === 6 || i === 8 || i === 10) uuidBytes[to++] = hyphen
      uuidBytes[to++] = hexDigits[byte >> 4]!
      uuidBytes[to++] = hexDigits[byte & 0x0f]!
    }
  }
  uuids = uuidBytes.toString('latin1')
}

const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const pool = new Uint8Array(8 * 256)
let poolAt = pool.length
let lastMilliseconds = 0
let counter = 0

/**
 * A UUID version 7 (RFC 9562): 48 bits of milliseconds, a 12-bit counter that keeps ids of one millisecond in
 * order, 62 random bits. Ids of one process never decrease, even when the system clock steps back.
 */
export function uuid7(): string {
  if (source !== undefined) return source.uuid(7)
  if (poolAt === pool.length) {
    randomFillSync(pool)
    poolAt = 0
  }
  const at = poolAt
  poolAt += 8
  const now = Date.now()
  if (now > lastMilliseconds) {
    lastMilliseconds = now
    counter = 0
  } else if (++counter > 0xfff) {
    lastMilliseconds++
    counter = 0
  }
  const high = Math.floor(lastMilliseconds / 0x10000)
  const low = lastMilliseconds % 0x10000
  const byte = (index: number): string => hex[pool[at + index]!]!
  return (
    `${hex[(high >>> 24) & 0xff]}${hex[(high >>> 16) & 0xff]}${hex[(high >>> 8) & 0xff]}${hex[high & 0xff]}-` +
    `${hex[low >>> 8]}${hex[low & 0xff]}-7${counter.toString(16).padStart(3, '0')}-` +
    `${hex[(pool[at]! & 0x3f) | 0x80]}${byte(1)}-${byte(2)}${byte(3)}${byte(4)}${byte(5)}${byte(6)}${byte(7)}`
  )
}
