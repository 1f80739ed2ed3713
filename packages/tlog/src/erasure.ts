// Erasures: how a ledger says which content is gone.
//
// A leaf of the kind `erasure` has a payload like any event. It is the JSON text
//
//     {"erased":[{"index":7,"parts":["payload","context"]}]}
//
// and excuses that the named parts of earlier events are no longer there. It excuses nothing else: a part that
// no erasure names is missing, and so is one that an erasure named before the event existed.

import { isJsonObject, parseJsonObject } from './canonical-json.ts'
import { type Part, parts } from './commitment.ts'
import { decodeUtf8 } from './encoding.ts'

/** The parts of one event that are gone. */
export interface ErasedParts {
  readonly index: number
  readonly parts: readonly Part[]
}

/**
 * What an erasure leaf excuses; nothing for what cannot be read as one.
 * @param index of the erasure leaf itself: it only speaks of earlier ones
 * @param payload its committed payload
 */
export function readErasure(index: number, payload: Uint8Array): ErasedParts[] {
  const text = decodeUtf8(payload)
  const erased = text === undefined ? undefined : parseJsonObject(text)?.erased
  if (!Array.isArray(erased)) return []
  return (erased as unknown[]).flatMap(entry => {
    const { index: of, parts: named } = isJsonObject(entry) ? entry : {}
    if (typeof of !== 'number' || !Number.isSafeInteger(of) || of < 0 || of >= index) return []
    if (!Array.isArray(named)) return []
    return [{ index: of, parts: parts.filter(part => (named as unknown[]).includes(part)) }]
  })
}
