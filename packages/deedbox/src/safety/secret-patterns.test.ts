import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { harmlessTexts, writtenSecrets } from '../testing/secrets.ts'
import { isCardNumber } from './card-numbers.ts'
import { createRedactor } from './redaction.ts'

const redactor = createRedactor()

for (const { what, text, secret } of writtenSecrets) {
  test(`IF-25 FA-18 ${what} is blanked inside a text`, () => {
    assert.ok(text.includes(secret), 'the corpus holds what it says')
    const redacted = redactor.text(text)
    assert.ok(!redacted.includes(secret), redacted)
    assert.ok(redacted.includes('[redacted]'), redacted)
  })
}

test('IF-25 what surrounds a secret stays readable, the scheme and the issuer too', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['sent Bearer abc123def to ann', 'sent Bearer [redacted] to ann'],
    ['key deed_abcdefghijk is unknown', 'key deed_[redacted] is unknown'],
    ['user=ann&password=x1&page=2', 'user=ann&password=[redacted]&page=2'],
    ['{"password":"a \\" b","page":2}', '{"password":[redacted],"page":2}'],
    ['{\\"password\\":\\"a b\\",\\"page\\":2}', '{\\"password\\":[redacted],\\"page\\":2}'],
    ['GET https://h/x?token=abc failed', 'GET https://h/x?token=[redacted] failed'],
    ['Cookie: a=1; b=2\nAccept: text/html', 'Cookie: [redacted]\nAccept: text/html'],
    ['postgres://app:pw@db:5432/x', 'postgres://app:[redacted]@db:5432/x'],
    ['paid with 4111111111111111.', 'paid with [redacted].'],
    [`token=sk_live_${'4eC39HqLyjWDarjt'} and`, 'token=[redacted] and'],
    ['4111111111111111 12/27 123', '[redacted] 12/27 123'],
    ['redis://:p@ss@cache:6379/0?x=a@b', 'redis://:[redacted]@cache:6379/0?x=a@b'],
    ['GET /a/b%3Ftoken%3Dabc/c?d=1', 'GET /a/[redacted]/c?d=1'],
    ['next=%2Fb%3Ftoken%3Dabc&page=2', 'next=[redacted]&page=2'],
    ['{"password":["a","b"],"page":2}', '{"password":[redacted],"page":2}'],
    ['{"pin":1234,"page":2}', '{"pin":[redacted],"page":2}'],
    ['{ token: { a: 1 }, page: 2 }', '{ token: [redacted], page: 2 }'],
    ['psql --password Hunter2 -h db', 'psql --password [redacted] -h db'],
    ['"pin" with value "1234" fails', '"pin" with value [redacted] fails'],
    ['<pin>1234</pin><page>2</page>', '<pin>[redacted]</pin><page>2</page>'],
    [
      'https://hooks.slack.com/services/T0/B0/abcd5678EF done',
      'https://hooks.slack.com/services/[redacted] done',
    ],
  ]
  for (const [text, expected] of cases) assert.equal(redactor.text(text), expected)
})

test('IF-25 ordinary text is handed back as the same string', () => {
  for (const text of harmlessTexts) assert.equal(redactor.text(text), text)
})

test('IF-25 UUIDs and hashes are never taken for card numbers', () => {
  const changed = []
  for (let i = 0; i < 20_000; i++) {
    const hash = createHash('sha256').update(String(i)).digest('hex')
    const uuid = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`
    for (const text of [hash, uuid, `stored ${hash} as ${uuid}`]) {
      if (redactor.text(text) !== text) changed.push(text)
    }
  }
  assert.deepEqual(changed, [])
})

test('IF-25 redacting twice is redacting once', () => {
  for (const { text } of writtenSecrets) {
    const once = redactor.text(text)
    assert.equal(redactor.text(once), once)
  }
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...writtenSecrets.map(({ text }) => text), ...harmlessTexts)),
      texts => {
        const once = redactor.text(texts.join(' '))
        assert.equal(redactor.text(once), once)
      },
    ),
    { numRuns: 200 },
  )
})

test('IF-25 the Luhn check of ISO/IEC 7812-1 decides what a card number is', () => {
  const cards = [
    '4111111111111111',
    '5555555555554444',
    '378282246310005',
    '6011111111111117',
    '2223003122003222',
  ]
  for (const card of cards) {
    assert.ok(isCardNumber(card), card)
    assert.equal(redactor.text(card), '[redacted]')
    const last = Number(card.at(-1))
    for (let other = 0; other < 10; other++) {
      if (other !== last) assert.equal(isCardNumber(card.slice(0, -1) + other), false)
    }
  }
})

test('IF-25 no text makes the redaction take more than linear time', { timeout: 120_000 }, () => {
  const pieces = [
    '-eyJ',
    'eyJaaaaa.',
    'eyJaaaaaa-',
    'a=',
    'password="',
    'password\\"',
    "password='",
    '://a:',
    '4 1 1 1 ',
    '4-',
    '-----BEGIN PRIVATE KEY-----',
    'Bearer ',
    'pan',
    'cookie:',
    'token   ',
    'sk_live_',
    'sk-',
    'sk-A1',
    '%',
    '%25',
    '%20a',
    '%3D',
    'password%3D',
    '[',
    'password=[',
    'password=`',
    'a[',
    '<a',
    '<a>',
    '<password>',
    '--',
    '--password ',
    '-----BEGIN ',
    'SG.aaaaaaaaaaaaaaaaa',
    '1//0',
    '&quot;:',
    '\\\\',
    '\\":',
    '4111.1111.',
    '4111111111111111 ',
    '\\/',
    '//a:@',
    '//0123456789abcdefghij',
    'Unexpected token x, "a',
    ' is "',
    'password is "',
    'Basic YWJj',
    'password=a,b',
    'password=,',
    'password=a\\',
    ':',
    '= ',
    'password=\n',
    '   ',
    'x[y][z]',
    '&',
    'authorization=x\n',
    '{"name":"password","value":"',
  ]
  const spent = (piece: string, length: number): number => {
    const text = `${piece.repeat(length / piece.length)} DB_PASSWORD=Tr0ub4dor`
    const before = process.cpuUsage().user
    const redacted = redactor.text(text)
    redactor.url(`/x?${text}`)
    const after = process.cpuUsage().user
    assert.ok(!redacted.includes('Tr0ub4dor'), piece)
    return (after - before) / 1000
  }
  for (const piece of pieces) {
    const few = Math.min(spent(piece, 50_000), spent(piece, 50_000))
    const many = spent(piece, 400_000)
    // Eight times the text: eight times the work if it is linear, sixty-four times if it is quadratic.
    assert.ok(many < 32 * Math.max(few, 5), `${JSON.stringify(piece)}: ${few} ms, ${many} ms`)
  }
})
