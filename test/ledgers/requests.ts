/** One request that any ledger of ours has to answer in the same way. */
export interface TableRequest {
  readonly name: string
  readonly method?: string
  /** Default `/v1/events`. */
  readonly path?: string
  /** Beside the key and, where there is a body, the content type; null takes one of them away. */
  readonly headers?: Readonly<Record<string, string | null>>
  readonly body?: string | Uint8Array
}

export const meta = { type: 'info', event_name: 'order.paid', service: 'shop' }

/** The body of a single call. */
export function single(payload: string = 'p', more: object = {}): string {
  return JSON.stringify({ payload, meta: { ...meta, ...more } })
}

/** A single event whose canonical meta has so many bytes. */
export function withMetaOf(bytes: number): string {
  const bare = JSON.stringify({ note: '', ...meta }).length + '{}'.length
  return single('p', { note: 'x'.repeat(bytes - bare + 1) })
}

/** Two changes, one of which is of something that looks like the producer's own mark. */
function withMarkIn(place: number, seq: number = 1): string {
  const changed = [0, 1].map(i => ({ a: 1, ...(i === place ? { producer: { id: 'p', seq: 1 } } : {}) }))
  return single('p', {
    changes: changed.map(after => ({ path: 'x', after })),
    producer: { id: 'p', seq },
  })
}

const key = (text: string) => ({ 'idempotency-key': text })
const latin1 = (text: string) => Buffer.from(text).toString('latin1')

const events: TableRequest[] = [
  { name: 'a valid event', body: single() },
  {
    name: 'an event of every member',
    body: single('{"n":1}', {
      env: 'production',
      request_id: 'r-1',
      trace_id: 't',
      immutable_trail: 'order 7',
      occurred_at: '2026-01-01T00:00:00.5+01:00',
      actor: { id: 'u', type: 'user', name: 'Ada' },
      on_behalf_of: { id: 'v' },
      targets: [{ id: 'o-1' }],
      outcome: 'paid',
      changes: [{ path: 'a.b', before: null, after: { deep: [1, 2.5, -0, 1e21 - 1e21] } }],
      reason: 'because',
      correlation_id: 'c',
      subject: 's',
      producer: { id: 'p', seq: 0 },
      own: { kept: ['as', 'it', 'is'] },
    }),
  },
  { name: 'a payload of no bytes', body: single('') },
  { name: 'a payload that is no JSON', body: single('{"not json') },
  { name: 'a request id in the header', body: single(), headers: { 'request-id': 'req-7' } },
  { name: 'a request id with a blank in the header', body: single(), headers: { 'request-id': 'req 7' } },
  { name: 'the query receipt=0', path: '/v1/events?receipt=0', body: single() },
  {
    name: 'members in another order',
    body: `{"meta":${JSON.stringify({ service: 's', type: 'error', event_name: 'x' })},"payload":"p"}`,
  },
  { name: 'a number spelled oddly but exactly', body: single().replace('"type"', '"n":1.50e1,"type"') },
  { name: 'an escape in a name', body: single().replace('"type"', '"cl\\u00e9":1,"type"') },
]

const refusals: TableRequest[] = [
  ...Object.entries({
    'no meta': { payload: 'p' },
    'no payload': { meta },
    'a payload that is an object': { payload: {}, meta },
    'a payload that is null': { payload: null, meta },
    'meta that is an array': { payload: 'p', meta: [] },
    'a third member': { payload: 'p', meta, mata: {} },
    'an idempotency key beside them': { payload: 'p', meta, idempotency_key: 'k' },
    'an array': [],
    'a text': 'event',
    null: null,
  }).map(([name, body]) => ({ name: `a body with ${name}`, body: JSON.stringify(body) })),
  ...Object.entries({
    type: ['fatal', 7, null, ''],
    event_name: ['', 'x'.repeat(1025), 7, {}],
    service: ['', null],
    env: ['', 'x'.repeat(1025), '😀'.repeat(1024), '😀'.repeat(1025)],
    request_id: ['', 5],
    trace_id: [[]],
    immutable_trail: ['a:b', ' a', 'a ', '', 'x'.repeat(257)],
    occurred_at: ['yesterday', '2026-01-01', '2026-01-01T00:00:00', '2026-01-01T00:00:00Z'],
    actor: [{}, 'u', { id: '' }, { id: 'u', type: 7 }, null],
    on_behalf_of: [{ name: 'n' }],
    targets: [{}, [{}], Array.from({ length: 21 }, () => ({ id: 'o' })), [{ id: 'o' }, { id: 7 }]],
    changes: [[{ before: 1 }], Array.from({ length: 51 }, () => ({ path: 'p' }))],
    reason: ['x'.repeat(4096), 'x'.repeat(4097), ''],
    producer: [{ id: 'p' }, { id: 'p', seq: -1 }, { id: 'p', seq: 1.5 }, { id: 'p', seq: '1' }],
  }).flatMap(([member, values]) =>
    (values as unknown[]).map((value, i) => ({
      name: `meta.${member} of shape ${i}`,
      body: single('p', { [member]: value }),
    })),
  ),
  ...['type', 'event_name', 'service'].map(member => ({
    name: `meta without ${member}`,
    body: JSON.stringify({ payload: 'p', meta: { ...meta, [member]: undefined } }),
  })),
  { name: 'a name twice', body: single().replace('"type"', '"type":"info","type"') },
  {
    name: 'a name twice, once with an escape',
    body: single().replace('"type"', '"\\u0074ype":"info","type"'),
  },
  { name: 'a name twice in the envelope', body: `{"payload":"a",${single().slice(1)}` },
  { name: 'a member named __proto__', body: single().replace('"type"', '"__proto__":{},"type"') },
  { name: 'half of a surrogate pair in meta', body: single().replace('shop', 'sh\\ud83dop') },
  { name: 'half of a surrogate pair in the payload', body: single().replace('"p"', '"\\ude00"') },
  { name: 'U+0000 in meta', body: single().replace('shop', 'sh\\u0000op') },
  { name: 'U+0000 in the payload', body: single().replace('"p"', '"\\u0000"') },
  ...['9007199254740993', '0.1234567890123456789', '1e400', '-1e-400', '12345678901234567890'].map(n => ({
    name: `the number ${n}`,
    body: single().replace('"type"', `"n":${n},"type"`),
  })),
  { name: 'meta nested too deep', body: single('p', { deep: JSON.parse('['.repeat(65) + ']'.repeat(65)) }) },
  {
    name: 'meta nested as deep as may be',
    body: single('p', { deep: JSON.parse('['.repeat(63) + ']'.repeat(63)) }),
  },
  { name: 'broken JSON', body: '{"payload":' },
  { name: 'JSON and more', body: `${single()}x` },
  { name: 'bytes that are no UTF-8', body: Buffer.from([0x7b, 0xff, 0x7d]) },
  { name: 'no body', body: '' },
  { name: 'a query that is not known', path: '/v1/events?proof=1', body: single() },
]

const limits: TableRequest[] = [
  { name: 'a payload of 65,536 bytes', body: single('x'.repeat(65_536)) },
  { name: 'a payload of 65,537 bytes', body: single('x'.repeat(65_537)) },
  { name: 'a payload of 65,536 bytes in other scripts', body: single(`${'日'.repeat(21_845)}x`) },
  { name: 'a payload of 65,538 bytes in other scripts', body: single('日'.repeat(21_846)) },
  { name: 'meta of 16,384 bytes', body: withMetaOf(16_384) },
  { name: 'meta of 16,385 bytes', body: withMetaOf(16_385) },
  { name: 'a body of 524,288 bytes', body: single().padEnd(524_288) },
  { name: 'a body of 524,289 bytes', body: single().padEnd(524_289) },
]

const heads: TableRequest[] = [
  { name: 'no key', body: single(), headers: { authorization: null } },
  { name: 'a wrong key', body: single(), headers: { authorization: 'Bearer deed_live_wrong' } },
  { name: 'another scheme', body: single(), headers: { authorization: 'Basic dTpw' } },
  { name: 'no content type', body: Buffer.from(single()), headers: { 'content-type': null } },
  { name: 'another content type', body: single(), headers: { 'content-type': 'text/plain' } },
  {
    name: 'a content type with a charset',
    body: single(),
    headers: { 'content-type': 'Application/JSON; charset=utf-8' },
  },
  {
    name: 'a content type that only begins so',
    body: single(),
    headers: { 'content-type': 'application/jsonx' },
  },
  { name: 'a packed body', body: single(), headers: { 'content-encoding': 'gzip' } },
  { name: 'an unknown route', path: '/v2/events', body: single() },
  { name: 'an unknown route without a key', path: '/v1', headers: { authorization: null } },
  { name: 'another method', method: 'DELETE', path: '/v1/events/batch' },
  { name: 'an event that is not there', method: 'GET', path: '/v1/events/tx_00000000zzzzzzzzzzzzzzzz' },
  {
    name: 'an event asked for without a key',
    method: 'GET',
    path: '/v1/events/x',
    headers: { authorization: null },
  },
]

const keys: TableRequest[] = [
  { name: 'a key for the first time', body: single('one'), headers: key('k-1') },
  { name: 'its repeat', body: single('one'), headers: { ...key('k-1'), 'request-id': 'second' } },
  { name: 'other content under the key', body: single('two'), headers: key('k-1') },
  { name: 'the repeat of that', body: single('two'), headers: key('k-1') },
  { name: 'the first again', body: single('one'), headers: key('k-1') },
  {
    name: 'the same with members in another order',
    headers: key('k-1'),
    body: '{"meta":{"service":"shop","type":"info","event_name":"order.paid"},"payload":"one"}',
  },
  {
    name: 'the first, numbered',
    body: single('one', { producer: { id: 'p', seq: 7 } }),
    headers: key('k-1'),
  },
  {
    name: 'a number that is none',
    body: single('one', { producer: { id: 'p', seq: 0 } }),
    headers: key('k-1'),
  },
  { name: 'a mark inside changes', body: withMarkIn(0), headers: key('k-2') },
  { name: 'that mark inside another change', body: withMarkIn(1), headers: key('k-2') },
  { name: 'the repeat of the former with another number', body: withMarkIn(0, 2), headers: key('k-2') },
  { name: 'other meta under the key', body: single('one', { env: 'x' }), headers: key('k-1') },
  {
    name: 'the key in a batch',
    path: '/v1/events/batch',
    body: `[{"idempotency_key":"k-1",${single('one').slice(1)}]`,
  },
  { name: 'an empty key', body: single(), headers: key('') },
  { name: 'a key of other scripts', body: single('three'), headers: key(latin1('ключ/日本')) },
  {
    name: 'the same in a batch',
    path: '/v1/events/batch',
    body: `[{"idempotency_key":"ключ/日本",${single('three').slice(1)}]`,
  },
  { name: 'a key of 2,048 bytes', body: single(), headers: key('k'.repeat(2048)) },
  { name: 'a key of 2,049 bytes', body: single(), headers: key('k'.repeat(2049)) },
]

const batch = (name: string, body: string | Uint8Array): TableRequest => ({
  name: `batch: ${name}`,
  path: '/v1/events/batch',
  body,
})
const lines = (name: string, body: string): TableRequest => ({
  ...batch(`lines: ${name}`, body),
  headers: { 'content-type': 'application/x-ndjson' },
})
const many = (count: number) => Array.from({ length: count }, (_, i) => single(`m${i}`))

const batches: TableRequest[] = [
  batch('an empty array', '[]'),
  batch('an object', single()),
  batch('a broken array', `[${single()},`),
  batch(
    'good and bad items',
    `[${single('a')},{"payload":"b"},7,{"payload":"c","meta":{}},{"idempotency_key":7,${single('d').slice(1)},${single('e')},{"x":1,${single('f').slice(1)}]`,
  ),
  batch(
    'one key three times',
    `[${['g', 'g', 'h'].map(p => `{"idempotency_key":"k-2",${single(p).slice(1)}`).join()}]`,
  ),
  batch(
    'keys of odd shapes',
    `[${['""', 'null', `"${'k'.repeat(2049)}"`, '"\\n/%"'].map(k => `{"idempotency_key":${k},${single('i').slice(1)}`).join()}]`,
  ),
  batch('a name twice in one item', `[${single()},{"payload":"x",${single().slice(1)}]`),
  batch('1,000 items', `[${many(1000).join()}]`),
  batch('1,001 items', `[${many(1001).join()}]`),
  batch('8 MiB', `[${single()}]`.padEnd(8 * 1024 * 1024)),
  batch('a byte more than 8 MiB', `[${single()}]`.padEnd(8 * 1024 * 1024 + 1)),
  { ...batch('another content type', '[]'), headers: { 'content-type': 'text/csv' } },
  { ...batch('a query', '[]'), path: '/v1/events/batch?x=1' },
  lines('none', ''),
  lines(
    'good and bad ones, a blank one and one of Windows',
    `${single('l1')}\n\n{broken\n${single('l2')}\r\n[]\n{"payload":"x",${single().slice(1)}\n${single('l3').replace('shop', '\\ud800')}\n${single('l4')}`,
  ),
  lines('1,001 of them', many(1001).join('\n')),
]

/** Everything, in the order in which it is sent: the later ones see the events of the earlier ones. */
export const table: readonly TableRequest[] = [
  ...events,
  ...refusals,
  ...limits,
  ...heads,
  ...keys,
  ...batches,
]
