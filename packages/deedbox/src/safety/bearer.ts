import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether an `Authorization` header carries a token. Takes as long for a wrong one as for the right one. */
export function isBearer(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
  return given !== undefined && timingSafeEqual(digest(given), digest(token))
}

/** Of the same length for all, so that comparing tells nothing of the token's. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
