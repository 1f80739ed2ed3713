import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { harmlessTexts, writtenSecrets } from '../testing/secrets.ts'
import { createRedactor } from './redaction.ts'
import { signs, signsOf } from './text-signs.ts'

/** Has every sign and no secret. */
const everySign = 'a: b% 0123456789012 ab-0123456789 or "c" </d> --e'

test('IF-25 ordinary texts have no sign that costs anything', () => {
  for (const text of ['', 'charging the card', 'GET /orders/12345 completed', 'u_42', 'ann and bob'])
    assert.equal(signsOf(text), 0, text)
  assert.equal(
    signsOf(everySign),
    Object.values(signs).reduce((all, sign) => all | sign, 0),
  )
})

test('IF-25 no sign is missed: a secret is found alike where all is searched for and where signs say what to', () => {
  const redactor = createRedactor()
  assert.equal(redactor.text(everySign), everySign)
  const texts = [...writtenSecrets.map(({ text }) => text), ...harmlessTexts]
  const joined = fc
    .array(fc.constantFrom(...texts), { minLength: 1, maxLength: 3 })
    .map(list => list.join(' '))
  fc.assert(
    fc.property(joined, text => {
      const alone = redactor.text(text)
      assert.equal(redactor.text(`${everySign}\n\n${text}`), `${everySign}\n\n${alone}`)
    }),
    { numRuns: 1_000, examples: texts.map(text => [text]) },
  )
})
