import fc from 'fast-check'
import type { LineHead } from '../log/line.ts'
import { createRedactor, createSerializer, logLimits, type Serializer } from '../safety/index.ts'
import { hostileValues } from './hostile-values.ts'

/** The serializer of an instance that was given no options. */
export const serializer: Serializer = createSerializer(createRedactor(), logLimits)

/** Texts with everything in them that breaks lines, quoting or encoding. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map(units => String.fromCharCode(...units)),
  fc.constantFrom('', '\ud800', 'a\nb\r\n\u2028', '"}', '\\', '{"a":1}', '{"msg":null}', '{}', '-', '[1]'),
)

/** Names that mean something to an engine, to a format, or to readers of one. */
const names = (
  '__proto__ constructor toString hasOwnProperty toJSON length timestamp level message source exception fields ' +
  'fields_cut request_id rid msg error traceback type text record extra value representation @timestamp log.level ' +
  'http.route url.path exception.type code.file.path service.name deedbox labels trace_id span_id status_code ' +
  'elapsed method path_with_query remote_ip route user agent uid email remoteAddressChain Timestamp Fields'
).split(' ')
const anyName: fc.Arbitrary<string> = fc.oneof(fc.constantFrom(...names), anyText)

/** A value, or the name of one that defends itself: the generator would look at it. */
type Plan = { readonly value: unknown } | { readonly hostile: string }

const anyPlan: fc.Arbitrary<Plan> = fc.oneof(
  fc
    .anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true })
    .map(value => ({ value })),
  fc
    .constantFrom<unknown>(
      null,
      undefined,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      -0,
      2 ** 60,
      1e21,
      123n,
      [],
      [1, 'a'],
      ['a', 'b'],
      [null],
      [[1]],
      { value: 1 },
      { value: null },
      Symbol('s'),
    )
    .map(value => ({ value })),
  fc.constantFrom(...Object.keys(hostileValues)).map(hostile => ({ hostile })),
)

function made(plan: Plan): unknown {
  return 'hostile' in plan ? hostileValues[plan.hostile]?.() : plan.value
}

const anyFields: fc.Arbitrary<readonly (readonly [string, Plan])[] | undefined> = fc.option(
  fc.uniqueArray(fc.tuple(anyName, anyPlan), { maxLength: 8, selector: ([name]) => name }),
  { nil: undefined },
)

/** Members as the head of a line holds them: rendered, one after another, no name twice. */
const anyMembers: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('', ',"request_id":"r-1"'),
  fc
    .record({
      status: fc.integer({ min: 100, max: 599 }),
      target: anyText,
      remote: fc.constantFrom('10.0.0.9:5000', '[2001:db8::1]:80', '::1', 'unknown', 'nonsense, 7'),
      text: anyText,
    })
    .map(
      ({ status, target, remote, text }) =>
        `,"request_id":${serializer.text(text)},"remote_ip":"${remote}","schema":"http","protocol":"1.1"` +
        `,"method":${serializer.text(text)},"path_with_query":${serializer.text(target)},"status_code":${status}` +
        `,"response_length":0,"elapsed":1.000000,"referer":"-","user_agent":${serializer.text(text)}` +
        `,"trace_id":"${'0a'.repeat(16)}","aborted":true`,
    ),
  fc.json().map(payload => `,"request_id":"r","type":"audit","payload":${payload}`),
)

/** What a line is to be made of; {@link partsOf} makes it. */
export type LinePlan = Omit<LineHead, 'failure'> & {
  readonly failure: Plan | undefined
  readonly fields: readonly (readonly [string, Plan])[] | undefined
  readonly exception: string | undefined
}

/** Lines of every kind. */
export const anyLine: fc.Arbitrary<LinePlan> = fc.record({
  instant: fc.oneof(fc.integer({ min: 0, max: 4_102_444_800_000_000 }), fc.constant(1_763_664_542_000_123)),
  level: fc.constantFrom(
    ...['TRACE', 'DEBUG', 'INFO', 'SUCCESS', 'WARNING', 'ERROR', 'CRITICAL', 'NOTICE', 'AUDIT-1'],
  ),
  number: fc.integer({ min: -5, max: 120 }),
  type: fc.constantFrom(
    ...['app.log', 'request.summary', 'request.validation', 'job.summary', 'audit', 'deedbox'],
  ),
  logger: fc.option(anyText, { nil: undefined }),
  message: anyText,
  source: fc.option(fc.oneof(fc.constantFrom('a.ts:fn:12', 'node:fs:x:1', '<unknown>', ':::'), anyText), {
    nil: undefined,
  }),
  failure: fc.option(anyPlan, { nil: undefined }),
  members: anyMembers,
  fields: anyFields,
  exception: fc.option(anyText, { nil: undefined }),
})

/** What a format is given for the line that was planned. */
export function partsOf(plan: LinePlan): {
  readonly head: LineHead
  readonly fields: Readonly<Record<string, unknown>> | undefined
  readonly exception: string | undefined
} {
  const { fields: plans, exception, failure, ...head } = plan
  const fields: Record<string, unknown> = {}
  for (const [name, each] of plans ?? [])
    Object.defineProperty(fields, name, { value: made(each), enumerable: true, configurable: true })
  return {
    head: { ...head, failure: failure === undefined ? undefined : { thrown: made(failure) } },
    fields: plans === undefined ? undefined : fields,
    exception,
  }
}
