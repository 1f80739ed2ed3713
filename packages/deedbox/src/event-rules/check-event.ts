import { canonicalJson } from '@deedbox/tlog'
import type { EventMeta, LedgerItem } from '../audit/index.ts'
import { EventRefusal } from './event-refusal.ts'
import { jsonValue } from './json-value.ts'
import { limits } from './limits.ts'
import { type ProducerMark, producerMarkOf, withoutMark } from './producer-mark.ts'
import type { SchemaFault } from './schema-fault.ts'
import { checkText } from './strict-json.ts'

/** Where an event comes from: a strict JSON parser, or a program's own objects. */
export type EventSource = 'parser' | 'caller'

/** An event that passed every check, in the bytes that will be committed to. */
export interface EventParts {
  payload: string
  /** RFC 8785 of `type`, `event_name`, `service`, `env`. */
  core: string
  /** RFC 8785 of the rest of meta. */
  context: string
  /** The same without the producer's mark: with core and payload it is what an exact repeat repeats. */
  content: string
  /** Which number of which producer it is. */
  producer: ProducerMark | undefined
  idempotencyKey: string | undefined
  requestId: string | undefined
}

/**
 * Checks one event and brings it into the form that is committed to.
 *
 * @param source `parser`: the input came out of `parseStrictJson`, so that its texts are sound and reading it twice
 *   shows the same; `caller`: nothing is known about it
 * @param findFault holds `{ payload, meta }` against the schema of an event
 * @throws EventRefusal `invalid_event`, `invalid_payload`, `invalid_meta`, `invalid_text`, `number_not_exact`,
 *   `payload_too_large`, `meta_too_large`, `invalid_idempotency_key`
 */
export function checkEvent(
  input: LedgerItem,
  source: EventSource,
  findFault: (event: object) => SchemaFault | undefined,
): EventParts {
  const { payload, meta } = input
  const fault = findFault({ payload, meta })
  if (fault !== undefined) throw schemaProblem(fault)
  if (source === 'caller') checkText(payload, 'The payload')
  if (utf8Exceeds(payload, limits.payloadBytes)) {
    throw new EventRefusal(
      'payload_too_large',
      `The payload has ${Buffer.byteLength(payload)} bytes of UTF-8; at most ${limits.payloadBytes} are accepted.`,
    )
  }
  checkNesting(meta)
  const { type, event_name, service, env, ...rest } = meta
  const core = canonicalMeta(
    env === undefined ? { type, event_name, service } : { type, event_name, service, env },
  )
  const context = canonicalMeta(rest)
  if (source === 'caller') checkMetaText(meta, core, context)
  if (core.length + context.length > limits.metaBytes / 3) {
    const bytes = Buffer.byteLength(core) + Buffer.byteLength(context)
    if (bytes > limits.metaBytes) {
      throw new EventRefusal(
        'meta_too_large',
        `meta has ${bytes} bytes; at most ${limits.metaBytes} are accepted.`,
      )
    }
  }
  return {
    payload,
    core,
    context,
    ...markAndContent(source === 'parser' ? rest : undefined, context),
    idempotencyKey: checkedKey(input.idempotencyKey),
    requestId: checkedRequestId(input.requestId) ?? meta.request_id,
  }
}

/** As committed to: an object of a caller may show different things to different readers, so its own text is read. */
function markAndContent(
  parsed: object | undefined,
  context: string,
): Pick<EventParts, 'producer' | 'content'> {
  if (!context.includes('"producer"')) return { producer: undefined, content: context }
  const committed = parsed ?? Object(jsonValue(context))
  const content = withoutMark(committed)
  return {
    producer: producerMarkOf(committed),
    content: content === committed ? context : canonicalJson(content),
  }
}

/** Looks for U+0000 inside meta only when its canonical form spells one, which is next to never. */
function checkMetaText(meta: EventMeta, core: string, context: string): void {
  if (!core.includes('\\u0000') && !context.includes('\\u0000')) return
  const open: unknown[] = [meta]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === 'string') checkText(next, 'meta')
    else if (typeof next === 'object' && next !== null)
      open.push(...Object.keys(next), ...Object.values(next))
  }
}

/** UTF-8 needs at most three bytes for a UTF-16 unit, so short texts need no count. */
function utf8Exceeds(text: string, bytes: number): boolean {
  return text.length > bytes / 3 && Buffer.byteLength(text) > bytes
}

/** Deeper than this nobody means it, and readers of JSON run out of stack. */
const maxNesting = 64

function checkNesting(meta: EventMeta): void {
  let containers = 0
  const descend = (container: object, depth: number) => {
    // Nothing that fits the byte limit holds that many; an object that holds itself many times does.
    if (depth > maxNesting || ++containers > limits.metaBytes) {
      throw new EventRefusal(
        'invalid_meta',
        `meta is nested more than ${maxNesting} levels deep; send it flatter.`,
      )
    }
    for (const member of Object.values(container)) {
      if (typeof member === 'object' && member !== null) descend(member, depth + 1)
    }
  }
  descend(meta, 0)
}

function checkedRequestId(id: unknown): string | undefined {
  if (id === undefined) return undefined
  if (typeof id === 'string' && id !== '' && id.length <= 1024 && id.isWellFormed() && !id.includes('\0'))
    return id
  throw new EventRefusal(
    'invalid_event',
    'A request id is text of 1 to 1,024 characters; leave it out to have one made.',
  )
}

function checkedKey(key: unknown): string | undefined {
  if (key === undefined) return undefined
  if (
    typeof key !== 'string' ||
    key.length === 0 ||
    !key.isWellFormed() ||
    utf8Exceeds(key, limits.idempotencyKeyBytes)
  ) {
    throw new EventRefusal(
      'invalid_idempotency_key',
      `An idempotency key is text of 1 to ${limits.idempotencyKeyBytes} bytes; leave it out to send without one.`,
    )
  }
  return key
}

function canonicalMeta(value: object): string {
  try {
    return canonicalJson(value)
  } catch (cause) {
    throw new EventRefusal(
      'invalid_meta',
      'meta holds a value that JSON cannot express (such as NaN, a cycle or half of a surrogate pair).',
      { cause },
    )
  }
}

function schemaProblem(error: SchemaFault): EventRefusal {
  const path = error.instancePath.slice(1).replaceAll('/', '.')
  const what = error.message ?? 'does not fit the schema'
  const missing = error.keyword === 'required' ? `.${String(error.params.missingProperty)}` : ''
  if (path === 'payload' || missing === '.payload') {
    return new EventRefusal(
      'invalid_payload',
      'payload must be a string. Serialise your object yourself: the hash covers exactly the text that you send.',
    )
  }
  if (path.startsWith('meta') || missing === '.meta') {
    const where = `${path}${missing}`.replace(/^\./, '')
    const fault =
      missing === '' ? `${what}${allowed(error)}` : 'is required: meta has type, event_name and service'
    return new EventRefusal('invalid_meta', `${where} ${fault}.`)
  }
  if (error.keyword === 'additionalProperties') {
    return new EventRefusal(
      'invalid_event',
      `An event has exactly the members payload and meta; "${String(error.params.additionalProperty)}" is not one.`,
    )
  }
  return new EventRefusal('invalid_event', 'An event is a JSON object with the members payload and meta.')
}

function allowed(error: SchemaFault): string {
  return error.keyword === 'enum' ? `: ${(error.params.allowedValues as string[]).join(', ')}` : ''
}
