import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shortened } from './error-line.ts'

const lines: readonly (readonly [string, string])[] = [
  ['cannot reach redis://ann:p/w@rd@cache:6379', 'cannot reach redis://cache:6379'],
  ['//ann@one and //ann:b@two, not a@three', '//one and //two, not a@three'],
  ['role "ann" does not exist', 'role does not exist'],
  ["Access denied for user 'ann'@'10.0.0.7' to the shop", 'Access denied for user to the shop'],
  ['credentials for `ann` are not valid', 'credentials for are not valid'],
  ['database "shop" does not exist', 'database "shop" does not exist'],
  ["the user's query\nfailed", "the user's query failed"],
]

test('DF-24 DF-25 no user or password of a URL or a server stands in a line', () => {
  for (const [text, line] of lines) assert.equal(shortened(text), line)
})
