import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Makes the test whether an `Authorization` header carries a token. How long it takes says nothing about the token, nor
 * about its length. (Gap 13)
 */
export function bearerTest(token: string): (authorization: string | undefined) => boolean {
  const expected = digest(token)
  return authorization => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    return given !== undefined && timingSafeEqual(digest(given), expected)
  }
}

/** Of the same length for all. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
