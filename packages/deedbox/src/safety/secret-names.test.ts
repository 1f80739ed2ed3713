import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { secretNameTest } from './secret-names.ts'

const isSecret = secretNameTest({ keys: [], allow: [] })

/** The words of names whose values are secret. */
const secretNames: readonly (readonly string[])[] = [
  ['password'],
  ['password', 'confirmation'],
  ['new', 'passwd'],
  ['pass', 'phrase'],
  ['api', 'key'],
  ['x', 'api', 'key'],
  ['stripe', 'token'],
  ['access', 'token'],
  ['client', 'secret'],
  ['client', 'secret', '2'],
  ['proxy', 'authorization'],
  ['set', 'cookie'],
  ['session', 'id'],
  ['connect', 'sid'],
  ['credit', 'card'],
  ['card', 'number'],
  ['aws', 'access', 'key'],
  ['private', 'key'],
  ['db', 'pwd'],
  ['cvv'],
  ['pin'],
  ['otp'],
  ['jwt'],
  ['ssn'],
  ['card', 'cvc'],
  ['debit', 'card', 'number'],
  ['totp', 'code'],
  ['signing', 'key'],
]

const styles: readonly ((words: readonly string[]) => string)[] = [
  words => words.join('_'),
  words => words.join('-'),
  words => words.join('.'),
  words => words.join(' '),
  words => words.join(''),
  words => words.join(':'),
  words => words.map((word, i) => (i === 0 ? word : word[0]?.toUpperCase() + word.slice(1))).join(''),
  words =>
    `${words[0]}${words
      .slice(1)
      .map(word => `[${word}]`)
      .join('')}`,
  words => `$${words.join('_')}`,
]

test('IF-25 names of secrets are caught in every case and separator style', () => {
  for (const words of secretNames) {
    for (const style of styles) {
      const name = style(words)
      for (const cased of [name, name.toUpperCase(), name.toLowerCase()]) assert.ok(isSecret(cased), cased)
    }
  }
  fc.assert(
    fc.property(
      fc.constantFrom(...secretNames),
      fc.constantFrom(...styles),
      fc.infiniteStream(fc.boolean()),
      (words, style, upper) => {
        const name = [...style(words)].map(letter =>
          upper.next().value === true ? letter.toUpperCase() : letter,
        )
        assert.ok(isSecret(name.join('')))
      },
    ),
  )
})

test('IF-25 ordinary names stay readable', () => {
  const names = [
    'id',
    'user_id',
    'key',
    'keys',
    'primaryKey',
    'monkey',
    'author',
    'authored_by',
    'spin',
    'panel',
  ]
  names.push(
    'company',
    'passenger',
    'compass',
    'max_tokens',
    'tokens_used',
    'cookies_accepted',
    'side',
    'sign',
  )
  names.push('card', 'discard', 'number', 'design', 'session', 'email', '', '__proto__', 'constructor')
  for (const name of names) assert.equal(isSecret(name), false, name)
})

test('IF-25 each step of a name counts, a number at the end does not, nor does percent-encoding', () => {
  const secret = ['card[pin]', 'a[otp][0]', 'payment.pin', 'x[jwt][]', 'token1', 'access_token_2', 'cvv2']
  secret.push('user%5Bpassword%5D', 'pass%2577ord', 'db_pass', 'dbPass', 'DB_PASS', 'userPW', 'express.sid')
  for (const name of secret) assert.ok(isSecret(name), name)
  const plain = ['auth.ts', 'src/token.js', 'card[name]', 'by.pass.on', 'bypass', 'compass', 'account_sid']
  for (const name of plain) assert.equal(isSecret(name), false, name)
  const own = secretNameTest({ keys: [], allow: ['csrf_token'] })
  assert.ok(!own('form[csrf_token]') && own('secret[csrf_token]'))
})

test('IF-25 callers add names and take names from the list, in any style', () => {
  const own = secretNameTest({ keys: ['iban', 'Date-Of-Birth'], allow: ['sid', 'csrf_token'] })
  assert.ok(own('IBAN') && own('date_of_birth') && own('dateOfBirth'))
  assert.ok(!own('sid') && !own('csrfToken') && !own('CSRF-TOKEN'))
  assert.ok(own('token') && own('connect.sid'), 'the rest of the list stays')
  assert.ok(!own('iban_country'), 'a name of the caller is a whole name')
})
