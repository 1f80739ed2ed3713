/** The most bytes of UTF-8 that an automatic event's payload has. (IF-36) */
export const payloadLimit = 12_000

/** One step of shedding: which member, by its path, and what of it stays. */
export interface Shed {
  readonly path: readonly string[]
  /** Bytes of UTF-8 that are kept of a text; absent: the member goes altogether. */
  readonly keep?: number
}

/** What remains when shedding was not enough. */
const survivors = ['id', 'kind', 'message', 'timestamp']
const survivingMessage = 500
const survivingMember = 64

/**
 * The JSON of a payload object in at most `limit` bytes. Steps are taken in order, and only as many as needed; the
 * members they touched are listed in `truncated`. If all of them are not enough, `id`, `kind`, `message` and
 * `timestamp` remain. Texts are cut between characters. (IF-36)
 * @param json a JSON object
 * @param steps asked for only when the object is too large
 * @param limit at least 1,000 bytes
 */
export function clampPayload(
  json: string,
  steps: (payload: Readonly<Record<string, unknown>>) => readonly Shed[],
  limit: number = payloadLimit,
): string {
  if (fits(json, limit)) return json
  const payload = JSON.parse(json) as Record<string, unknown>
  const smallest = barest(payload)
  const truncated: string[] = []
  for (const step of steps(payload)) {
    if (!shed(payload, step)) continue
    const touched = step.path.join('.')
    if (!truncated.includes(touched)) truncated.push(touched)
    const shorter = JSON.stringify({ ...payload, truncated })
    if (fits(shorter, limit)) return shorter
  }
  return JSON.stringify(smallest)
}

/** The first bytes of a text, whole characters only. */
export function cutText(text: string, bytes: number): string {
  if (text.length * 3 <= bytes) return text
  const encoded = Buffer.from(text, 'utf8')
  if (encoded.length <= bytes) return text
  let end = bytes
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end--
  return encoded.toString('utf8', 0, end)
}

function barest(payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const member of survivors) {
    const value = payload[member]
    const text = typeof value === 'string' ? value : ''
    if (member === 'message') kept.message = cutJson(text || 'event', survivingMessage)
    else if (typeof value === 'number') kept[member] = value
    else if (Object.hasOwn(payload, member)) kept[member] = cutJson(text, survivingMember)
  }
  kept.truncated = ['*']
  return kept
}

/** A text whose JSON form has at most the given bytes: control characters grow sixfold when escaped. */
function cutJson(text: string, bytes: number): string {
  let cut = cutText(text, bytes)
  while (Buffer.byteLength(JSON.stringify(cut)) > bytes + 2)
    cut = cutText(cut, Math.floor(Buffer.byteLength(cut) * 0.8))
  return cut
}

function shed(payload: Record<string, unknown>, { path, keep }: Shed): boolean {
  let parent: unknown = payload
  for (const member of path.slice(0, -1)) {
    if (typeof parent !== 'object' || parent === null) return false
    parent = Reflect.get(parent, member)
  }
  const last = path.at(-1)
  if (last === undefined || typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, last))
    return false
  const value: unknown = Reflect.get(parent, last)
  if (keep === undefined) return Reflect.deleteProperty(parent, last)
  if (typeof value !== 'string' || Buffer.byteLength(value) <= keep) return false
  return Reflect.set(parent, last, cutJson(value, keep))
}

function fits(json: string, limit: number): boolean {
  return json.length * 3 <= limit || Buffer.byteLength(json) <= limit
}
