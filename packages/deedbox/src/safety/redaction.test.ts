import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harmlessTexts, writtenSecrets } from '../testing/secrets.ts'
import { errorTrace } from './error-text.ts'
import { createRedactor } from './redaction.ts'
import { createSerializer, logLimits } from './serializer.ts'

const redactor = createRedactor()
const serializer = createSerializer(redactor, logLimits)

test('IF-25 no secret of the corpus leaves through any value, key, header, URL or error', () => {
  for (const { what, text, secret } of writtenSecrets) {
    const error = new Error(text, { cause: new Error(`because ${text}`) })
    const values: readonly unknown[] = [
      text,
      { text },
      [[text]],
      { [text]: 1 },
      new Map([[text, text]]),
      new Map([[{ a: 1 }, text]]),
      new Set([text]),
      error,
      new AggregateError([error], text),
      Object.assign(new Error('plain'), { details: { text } }),
      { toJSON: () => text },
      {
        toJSON: () => {
          throw new Error(text)
        },
      },
      Object.defineProperty({}, 'bad', {
        enumerable: true,
        get: () => {
          throw new Error(text)
        },
      }),
      Symbol(text),
      Object(text),
      `${'x'.repeat(logLimits.textLength - 20)} ${text}`,
    ]
    // A private key spans lines, and its line breaks are escaped in JSON.
    const searched = secret.replaceAll('\n', '\\n')
    for (const [i, value] of values.entries()) {
      const { json } = serializer.serialize(value)
      assert.ok(!json.includes(searched), `${what}, form ${i}: ${json}`)
      const member = serializer.member('value', value)
      assert.ok(member === undefined || !member.includes(searched), `${what}, member ${i}: ${member}`)
    }
    assert.ok(!serializer.text(errorTrace(error)).includes(searched), `${what} in a traceback`)
    const encoded = encodeURIComponent(text)
    for (const url of [`/x?q=${encoded}`, `/x?${encoded}=1&b=2`, `/x?a=%20&${encoded}`]) {
      const query = redactor.queryJson(url.slice(url.indexOf('?') + 1))
      assert.ok(!query.includes(searched), `${what} in a query: ${query}`)
      const shown = decodeURIComponent(redactor.url(url))
      assert.ok(!shown.includes(secret), `${what} in a URL: ${shown}`)
    }
  }
})

test('IF-25 values under secret names go, whatever they are; that one is absent or a flag stays', () => {
  const secrets = { password: 'a', Token: 12345, api_key: ['b'], client: { secret: { deep: 'c' } }, jwt: 7n }
  assert.deepEqual(JSON.parse(serializer.serialize([{ a: [secrets] }]).json), [
    {
      a: [
        {
          password: '[redacted]',
          Token: '[redacted]',
          api_key: '[redacted]',
          client: { secret: '[redacted]' },
          jwt: '[redacted]',
        },
      ],
    },
  ])
  const absent = { password: null, token: undefined, has_secret: true, otp: '' }
  assert.equal(serializer.serialize(absent).json, '{"password":null,"has_secret":true,"otp":"[redacted]"}')
  const pairs = new Map<unknown, unknown>([
    ['password', 'hunter2'],
    [1, 'one'],
  ])
  assert.equal(serializer.serialize(pairs).json, '[["password","[redacted]"],[1,"one"]]')
})

test('IF-25 card numbers go as numbers too, other large numbers stay', () => {
  assert.equal(serializer.serialize([4111111111111111, 378282246310005]).json, '["[redacted]","[redacted]"]')
  const harmless = [1763664542000, 1763664542000123, 4111111111111112, 0.4111111111111111, 1e15, -5, 42]
  assert.deepEqual(JSON.parse(serializer.serialize(harmless).json), harmless)
})

test('FA-18 a URL keeps its bytes except the values that are secret', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['/a/b', '/a/b'],
    ['/a?token=abc', '/a?token=[redacted]'],
    ['/a?x=1&Access-Token=abc&y=%20z', '/a?x=1&Access-Token=[redacted]&y=%20z'],
    ['/a?%70assword=abc&x=1', '/a?%70assword=[redacted]&x=1'],
    ['/a?user%5Bpassword%5D=abc', '/a?user%5Bpassword%5D=[redacted]'],
    ['/a?q=Bearer%20abc123def', '/a?q=[redacted]'],
    ['/a?q=Bearer+abc123def', '/a?q=[redacted]'],
    ['/a?next=%2Fb%3Ftoken%3Dabc', '/a?next=[redacted]'],
    ['/a?token=&token&x', '/a?token=&token&x'],
    ['/a?x=%zz&token=%zz', '/a?x=%zz&token=[redacted]'],
    ['/a?x=1?token=abc', '/a?x=1?token=[redacted]'],
    ['https://u:pw@h:8/a?b=1', 'https://u:[redacted]@h:8/a?b=1'],
    ['/reset/eyJhbGciOi.eyJzdWIi.c2ln', '/reset/[redacted]'],
    ['?', '?'],
    ['/a?a=b=c&&d', '/a?a=b=c&&d'],
  ]
  for (const [url, expected] of cases) assert.equal(redactor.url(url), expected)
})

test('IF-15 query parameters: a text for one value, a list for more, null for none', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['', null],
    ['&&', null],
    ['a=1&a=2&b=3', { a: ['1', '2'], b: '3' }],
    ['a=&b', { a: '', b: '' }],
    ['q=a+b%20c', { q: 'a b c' }],
    ['a=%zz', { a: '%zz' }],
    ['token=x&token=y&n=1', { token: ['[redacted]', '[redacted]'], n: '1' }],
    ['%E2%82%AC=%0A%22', { '€': '\n"' }],
  ]
  for (const [query, expected] of cases) assert.deepEqual(JSON.parse(redactor.queryJson(query)), expected)
  const proto = redactor.queryJson('__proto__=1&constructor=2')
  assert.equal(proto, '{"__proto__":"1","constructor":"2"}')
  const many = JSON.parse(redactor.queryJson(Array.from({ length: 5000 }, (_, i) => `k${i}=v`).join('&')))
  assert.equal(Object.keys(many).length, 1000)
})

test('IF-25 names and patterns of the caller work everywhere, and so does another replacement', () => {
  const own = createRedactor({
    keys: ['iban'],
    allow: ['sid'],
    patterns: [/cust-\d+/, /\bDE\d{4,}/gy],
    replacement: '***',
  })
  const written = createSerializer(own, logLimits)
  assert.equal(
    written.serialize({ IBAN: 'x', sid: 'y', n: 'for cust-17' }).json,
    '{"IBAN":"***","sid":"y","n":"for ***"}',
  )
  assert.equal(own.text('iban=abc; sid=def'), 'iban=***; sid=def')
  for (let i = 0; i < 3; i++) assert.equal(own.text('a DE12345 and DE67890'), 'a *** and ***')
  assert.equal(own.url('/x?iban=1&sid=2&c=cust-9'), '/x?iban=***&sid=2&c=***')
  assert.equal(own.queryJson('iban=1&c=cust-9'), '{"iban":"***","c":"***"}')
  assert.equal(own.text('token=abc'), 'token=***')
  const without = createRedactor({ replacement: '' })
  assert.equal(without.text('a token=abc and 4111111111111111.'), 'a token= and .')
  assert.equal(without.url('/x?token=abc&b=1'), '/x?token=&b=1')
  const group = createRedactor({ replacement: '$1$&', patterns: [/cust-(\d+)/] })
  assert.equal(group.text('for cust-17 token=abc'), 'for $1$& token=$1$&')
})

test('IF-25 harmless texts pass through every function unchanged', () => {
  for (const text of harmlessTexts) {
    assert.equal(JSON.parse(serializer.text(text)), text)
    assert.deepEqual(JSON.parse(serializer.serialize({ text }).json), { text })
    assert.deepEqual(JSON.parse(redactor.queryJson(`q=${encodeURIComponent(text)}`)), { q: text })
    const url = `/x?q=${encodeURIComponent(text)}`
    assert.equal(redactor.url(url), url)
  }
})

test('IF-25 key names beyond those that are remembered get the same rule', () => {
  const fresh = createRedactor()
  for (let i = 0; i < 3_000; i++) assert.equal(fresh.key(`name_${i}`).secret, false)
  assert.equal(fresh.key('late_password').secret, true)
  assert.equal(fresh.key('late').json, '"late":')
  assert.equal(fresh.key('a"\n\ud800').json, '"a\\"\\n\ufffd":')
})
