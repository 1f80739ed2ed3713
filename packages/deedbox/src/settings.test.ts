import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import type { DeedboxOptions } from './options.ts'
import { ConfigurationError } from './safety/index.ts'
import { readSettings } from './settings.ts'
import { startChild } from './testing/ledger-child.ts'
import { aLedger } from './testing/ledger-events.ts'

type Environment = Record<string, string>

/** The setting at fault and the text, or the ledger that the settings name. */
function outcome(options: unknown, environment: Environment = {}): unknown {
  try {
    return readSettings(options as DeedboxOptions, environment).ledger
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, `${inspect(error)} for ${inspect(options)}`)
    assert.equal(error.code, 'invalid_configuration')
    assert.ok(error.message.startsWith(`${error.setting}: `))
    assert.ok(!/deed_live_x|iml_live_x|hunter22/.test(error.message), error.message)
    return error.setting
  }
}

const deed = 'deed_live_x'
const iml = 'iml_live_x'
const url = 'https://ledger.example.com'

test('IF-02 IF-03 ruling 1 which variables and options name which ledger', () => {
  const original = 'https://api.immutablelog.com/'
  const table: [DeedboxOptions['ledger'], Environment, unknown][] = [
    [undefined, {}, null],
    [null, { DEEDBOX_URL: url, DEEDBOX_API_KEY: deed }, null],
    [{}, {}, null],
    [undefined, { DEEDBOX_URL: url, DEEDBOX_API_KEY: deed }, { url: `${url}/`, apiKey: deed }],
    [undefined, { IMTBL_URL: url, IMTBL_API_KEY: iml }, { url: `${url}/`, apiKey: iml }],
    [undefined, { IMTBL_API_KEY: iml }, { url: original, apiKey: iml }],
    [
      undefined,
      { DEEDBOX_URL: url, DEEDBOX_API_KEY: deed, IMTBL_URL: 'x', IMTBL_API_KEY: iml },
      { url: `${url}/`, apiKey: deed },
    ],
    [
      { url, apiKey: iml },
      { DEEDBOX_URL: 'x', DEEDBOX_API_KEY: deed },
      { url: `${url}/`, apiKey: iml },
    ],
    [
      { url: '', apiKey: ' ' },
      { DEEDBOX_URL: url, DEEDBOX_API_KEY: deed },
      { url: `${url}/`, apiKey: deed },
    ],
    [undefined, { DEEDBOX_URL: '', DEEDBOX_API_KEY: '  ', IMTBL_URL: '' }, null],
    [undefined, { DEEDBOX_URL: '', IMTBL_URL: url, IMTBL_API_KEY: iml }, { url: `${url}/`, apiKey: iml }],
    [undefined, { DEEDBOX_URL: ` ${url} `, DEEDBOX_API_KEY: ` ${deed}\n` }, { url: `${url}/`, apiKey: deed }],
    [{ url, apiKey: iml, batches: false }, {}, { url: `${url}/`, apiKey: iml, batches: false }],
    [{ url, apiKey: iml, batches: 'no' as never }, {}, 'ledger.batches'],
    // A URL without a key.
    [undefined, { DEEDBOX_URL: url }, 'DEEDBOX_API_KEY'],
    [undefined, { IMTBL_URL: url }, 'DEEDBOX_API_KEY'],
    [{ url }, {}, 'DEEDBOX_API_KEY'],
    // A malformed URL.
    [undefined, { DEEDBOX_URL: 'ledger.example.com', DEEDBOX_API_KEY: deed }, 'DEEDBOX_URL'],
    [undefined, { IMTBL_URL: 'ftp://x', IMTBL_API_KEY: iml }, 'IMTBL_URL'],
    [{ url: 'https://', apiKey: iml }, {}, 'ledger.url'],
    [{ url: 'https://u:hunter22@x', apiKey: iml }, {}, 'ledger.url'],
    [{ url: `${url}?key=hunter22`, apiKey: iml }, {}, 'ledger.url'],
    // A malformed key.
    [undefined, { DEEDBOX_URL: url, DEEDBOX_API_KEY: `${deed} x` }, 'DEEDBOX_API_KEY'],
    [{ url, apiKey: `"${deed}\n"` }, {}, 'ledger.apiKey'],
    // A deed_ key never goes to somebody else's URL.
    [undefined, { DEEDBOX_API_KEY: deed }, 'DEEDBOX_URL'],
    [undefined, { IMTBL_API_KEY: deed }, 'DEEDBOX_URL'],
    [undefined, { IMTBL_URL: original, DEEDBOX_API_KEY: deed }, 'IMTBL_URL'],
    [{ url: 'https://eu.ImmutableLog.com./v1', apiKey: deed }, {}, 'ledger.url'],
    [
      { url: 'https://notimmutablelog.com', apiKey: deed },
      {},
      { url: 'https://notimmutablelog.com/', apiKey: deed },
    ],
  ]
  for (const [ledger, environment, expected] of table) {
    const options = ledger === undefined ? {} : { ledger }
    assert.deepEqual(outcome(options, environment), expected, inspect([ledger, environment]))
  }
})

test('IF-02 a ledger in this process is taken as it is', () => {
  const client = { appendBatch: async () => [] }
  const opening = Promise.resolve(client)
  assert.equal(outcome({ ledger: client }), client)
  assert.equal(outcome({ ledger: opening }), opening)
})

test('IF-02 each bad option is a ConfigurationError that names it', () => {
  const bad: [string, unknown][] = [
    ['service', { service: 5 }],
    ['env', { env: {} }],
    ['ledger', { ledger: url }],
    ['ledger', { ledger: 5 }],
    ['ledger.url', { ledger: { url: new URL(url), apiKey: iml } }],
    ['ledger.apiKey', { ledger: { url, apiKey: 5 } }],
    ['trustProxy', { trustProxy: -1 }],
    ['trustProxy', { trustProxy: '10.0.0.0/33' }],
    ['redact', { redact: { paths: ['a..b'] } }],
    ['requestId.generator', { requestId: { generator: 'base64url-1' } }],
    ['requestId.inbound', { requestId: { inbound: 'believe' } }],
    ['eventNames', { eventNames: 'url' }],
    ['log.level', { log: { level: 'LOUD' } }],
    ['log.sink', { log: { sink: 'file' } }],
    ['log.source', { log: { source: 'sometimes' } }],
    ['audit.durability', { audit: { durability: 'disk' } }],
    ['audit.spool.size', { audit: { spool: { size: 1_000 } } }],
    ['audit.spool.size', { audit: { spool: { size: 'large' } } }],
    ['audit.spool.folder', { audit: { spool: { folder: 7 } } }],
    ['audit.backoff.base', { audit: { backoff: { initial: 5, cap: 10 } } }],
    ['audit.backoff.base', { audit: { backoff: { base: Number.NaN, cap: 10 } } }],
    ['audit.backoff.base', { audit: { backoff: null } }],
    ['audit.backoff.cap', { audit: { backoff: { base: 5 } } }],
    ['audit.backoff.cap', { audit: { backoff: { base: 5, cap: 0 } } }],
  ]
  const numbers = [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, '5', null, {}]
  for (const name of ['capacity', 'linger', 'timeout', 'quotaPause'])
    for (const value of numbers) bad.push([`audit.${name}`, { audit: { [name]: value } }])
  for (const [setting, options] of bad) assert.equal(outcome(options), setting, inspect(options))
})

test('IF-02 the least and the most of each number pass', () => {
  const least = { capacity: 1, linger: 0, timeout: 1, quotaPause: 1, backoff: { base: 1, cap: 1 } }
  const most = {
    capacity: 10_000_000,
    linger: 60_000,
    timeout: 600_000,
    quotaPause: 2_678_400_000,
    backoff: { base: 3_600_000, cap: 3_600_000 },
  }
  assert.equal(outcome({ audit: least }), null)
  assert.equal(outcome({ audit: most }), null)
})

test('IF-02 a bad variable is named as the variable', () => {
  assert.equal(outcome({}, { DEEDBOX_TRUST_PROXY: 'everybody' }), 'DEEDBOX_TRUST_PROXY')
  assert.equal(outcome({}, { LOG_LEVEL: 'LOUD' }), 'LOG_LEVEL')
  assert.equal(outcome({}, { DEEDBOX_SPOOL_SIZE: '1 kB' }), 'DEEDBOX_SPOOL_SIZE')
  assert.equal(outcome({}, { DEEDBOX_SPOOL_SIZE: '64 MB' }), null)
  assert.equal(outcome({}, { DEEDBOX_LOG_LEVEL: 'LOUD', LOG_LEVEL: 'INFO' }), 'DEEDBOX_LOG_LEVEL')
})

test('IF-02 IF-03 names of service and environment, and the level that follows', () => {
  const read = (options: DeedboxOptions, environment: Environment): unknown[] => {
    const { service, env, log } = readSettings(options, environment)
    const level = log.scale.names.find(name => log.scale.numberOf(name) === log.thresholds.general)
    return [service, env, level]
  }
  assert.deepEqual(read({}, {}), ['node-service', 'production', 'INFO'])
  assert.deepEqual(read({ service: '', env: ' ' }, {}), ['node-service', 'production', 'INFO'])
  assert.deepEqual(read({ service: 'a', env: 'b' }, { DEEDBOX_SERVICE: 'c', DEEDBOX_ENV: 'd' }), [
    'a',
    'b',
    'INFO',
  ])
  assert.deepEqual(read({}, { IMTBL_SERVICE_NAME: 'old', IMTBL_ENV: 'staging' }), ['old', 'staging', 'INFO'])
  assert.deepEqual(read({}, { NODE_ENV: 'test' }), ['node-service', 'testing', 'DEBUG'])
  assert.deepEqual(read({}, { ENV: 'development', LOG_LEVEL: 'warn' }), [
    'node-service',
    'development',
    'WARNING',
  ])
})

test('FA-28 FA-29 FA-30 the three environments in any case, and words of ones own', () => {
  const env = (environment: Environment): string => readSettings({}, environment).env
  assert.equal(env({ ENV: 'Development' }), 'development')
  assert.equal(env({ ENV: 'PRODUCTION', NODE_ENV: 'test' }), 'production')
  assert.equal(env({ NODE_ENV: 'Test' }), 'testing')
  assert.equal(env({ ENV: 'staging' }), 'staging')
  assert.equal(env({ DEEDBOX_ENV: 'Blue', ENV: 'testing' }), 'Blue')
})

test('FA-30 FA-50 FA-56 the variables of the log, and what is wrong with them', () => {
  const read = (environment: Environment): unknown => {
    const { format, source, sinks, thresholds } = readSettings({}, environment).log
    return [format, source, sinks.map(({ to }) => to), thresholds.own('db'), thresholds.own('db.query.slow')]
  }
  assert.deepEqual(read({}), [undefined, 'always', ['stderr'], undefined, undefined])
  assert.deepEqual(
    read({
      DEEDBOX_LOG_FORMAT: 'Mozlog',
      DEEDBOX_LOG_SOURCE: 'warn',
      DEEDBOX_LOG_LEVELS: ' db = warn, db.query=TRACE ',
    }),
    ['mozlog', 'warn', ['stdout'], 30, 5],
  )
  assert.deepEqual(read({ DEEDBOX_LOG_FORMAT: 'mozlog', DEEDBOX_LOG_SINK: 'stderr' }), [
    'mozlog',
    'always',
    ['stderr'],
    undefined,
    undefined,
  ])
  for (const [name, value] of [
    ['DEEDBOX_LOG_FORMAT', 'xml'],
    ['DEEDBOX_LOG_SOURCE', 'sometimes'],
    ['DEEDBOX_LOG_SINK', 'printer'],
    ['DEEDBOX_LOG_LEVELS', 'db'],
    ['DEEDBOX_LOG_LEVELS', 'db=loud'],
  ] as const)
    assert.equal(outcome({}, { [name]: value }), name)
})

test('IF-03 the token is in no output of a process that sends, fails, dumps itself and is misconfigured', async t => {
  const ledger = await aLedger(t, (_call, nth) => ({ status: nth === 1 ? 500 : 401 }))
  const token = 'iml_live_0123456789abcdef'
  for (const [variables, calls] of [
    [{ DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: token }, 2],
    [{ IMTBL_URL: ledger.url, IMTBL_API_KEY: token }, 3],
    [{ IMTBL_URL: 'no url at all', IMTBL_API_KEY: token }, 3],
    [{ DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: `${token} x` }, 3],
  ] as const) {
    const child = startChild('ledger-loud-child.ts', variables)
    assert.deepEqual(await child.ended, { code: 0, signal: null }, child.output())
    assert.match(child.output(), /said everything/)
    assert.ok(!child.output().includes('0123456789abcdef'), child.output())
    assert.equal(ledger.calls.length, calls)
  }
  assert.ok(ledger.calls.every(({ headers }) => headers.authorization === `Bearer ${token}`))
})

test('FA-13 DF-35 DF-37 X-01 variables choose the generator, the id’s header and the summary’s query', () => {
  const read = (environment: Record<string, string>) => readSettings({ ledger: null }, environment)
  assert.deepEqual(
    [read({}).idGenerator, read({}).idHeader, read({}).summaryQuery],
    ['uuid4', 'X-Request-Id', false],
  )
  const set = read({
    REQUEST_ID_LENGTH: '16',
    DOCKERFLOW_REQUEST_ID_HEADER_NAME: 'X-Cloud-Trace-Context',
    DOCKERFLOW_SUMMARY_LOG_QUERYSTRING: 'yes',
  })
  assert.deepEqual(
    [set.idGenerator, set.idHeader, set.summaryQuery],
    ['base64url-16', 'X-Cloud-Trace-Context', true],
  )
  for (const [name, value] of [
    ['REQUEST_ID_LENGTH', 'long'],
    ['REQUEST_ID_LENGTH', '2'],
    ['DEEDBOX_REQUEST_ID_HEADER', 'two words'],
    ['DOCKERFLOW_SUMMARY_LOG_QUERYSTRING', 'maybe'],
  ] as const) {
    assert.throws(() => read({ [name]: value }), new RegExp(`^ConfigurationError: ${name}: `))
  }
})
