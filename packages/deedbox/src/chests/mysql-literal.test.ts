import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mysqlLiteral } from './mysql-literal.ts'

test('FC-23 what a mode or a character set could read otherwise is written in hexadecimal digits', () => {
  assert.equal(mysqlLiteral('GET /items/:id?a="b" %`'), `'GET /items/:id?a="b" %\`'`)
  assert.equal(mysqlLiteral(''), "''")
  for (const text of ["it's", '\\', 'a\\', 'é', '🦊', '\n', '\0', "'; DROP TABLE x; --", 'ﾁ＼', '\u00a5'])
    assert.equal(mysqlLiteral(text), `_utf8mb4 x'${Buffer.from(text).toString('hex')}'`)
  assert.deepEqual([null, true, false, 200].map(mysqlLiteral), ['NULL', '1', '0', '200'])
})
