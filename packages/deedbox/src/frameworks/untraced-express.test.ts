import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChild } from '../testing/ledger-child.ts'

test('IF-05 IF-16 IF-29 routers that publish nothing (before 2.3): route and real error come from their layers', async () => {
  const running = startChild('untraced-express.ts', {})
  assert.deepEqual(await running.ended, { code: 0, signal: null }, running.output())
  const facts = running
    .output()
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as [string, string | null, number, string | null])
  assert.deepEqual(facts.slice(0, 8), [
    ['/first/0', '/first/:id', 200, null],
    ['/first/1', null, 500, 'Error: first'],
    ['/orgs/7/items/8', '/orgs/:org/items/:item', 200, null],
    ['/orgs/7/broken', '/orgs/:org/broken', 500, 'Error: rejected'],
    ['/flat/1', '/flat/:x', 200, null],
    ['/other/1', '/other/:n', 200, null],
    ['/throw', '/throw', 500, 'Error: translated'],
    ['/nowhere', null, 404, null],
  ])
  assert.deepEqual(facts[8]?.slice(0, 3), ['/json', '/json', 400])
  assert.match(String(facts[8]?.[3]), /SyntaxError/)
})
