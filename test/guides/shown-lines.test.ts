import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onFreePort, Page, replaceOnce } from './page.ts'
import { assertShown } from './shown-lines.ts'

const real = {
  timestamp: '2026-11-29T20:05:11.274914+00:00',
  request_id: '0ee7e0c4-6d5f-4f0a-9a3c-2f5a4a8a1d55',
  status_code: 200,
  exception: 'Error: x\n    at /a/b/c.ts:1:2\n    at y',
}

test('shown lines: what changes with each run may differ, all else may not', () => {
  const shown = { ...real, timestamp: '2025-01-01T00:00:00.000000+00:00', request_id: '11111111-…' }
  assertShown([real], [shown], [])
  assertShown([real], [{ ...shown, exception: 'Error: x\n    at …/c.ts:1:2\n…' }], [])
  const { exception: _, ...short } = shown
  assertShown([real], [short], ['exception'])
  for (const [wrong, leftOut] of [
    [{ ...shown, status_code: 201 }, []],
    [{ ...shown, timestamp: 'yesterday' }, []],
    [{ ...shown, exception: 'Error: x…c.ts:1:3…' }, []],
    [{ ...shown, more: true }, []],
    [short, []],
    [shown, ['exception']],
  ] as const)
    assert.throws(() => assertShown([real], [wrong], leftOut), assert.AssertionError)
  assert.throws(() => assertShown([real], [shown, shown], []))
  assert.throws(() => assertShown([real, { ...real }], [shown, { ...shown, request_id: '22222222-…' }], []))
})

test('a page: a block is found by what it alone holds, and one that no test used is told', () => {
  const page = new Page('docs/guide/node-http.md')
  const healthy = 'docs/guide/node-http.md:53: // healthy.ts'
  assert.deepEqual(page.untested(), [
    "docs/guide/node-http.md:5: import { createServer } from 'node:http'",
    healthy,
  ])
  assert.throws(() => page.fence('no such text'), /0 blocks/)
  assert.throws(() => page.fence('createServer('), /2 blocks/)
  assert.throws(() => page.says('this is not said'))
  page.fence('nobody is not greeted')
  assert.deepEqual(page.untested(), [healthy])
  page.fence('// healthy.ts')
  assert.deepEqual(page.untested(), [])
  assert.throws(() => new Page('docs/guide/node-http.md', '## No such heading'))
})

test('a text is replaced where it stands once, and nowhere else', () => {
  assert.equal(onFreePort('app.listen(8080)'), 'app.listen(0)')
  assert.throws(() => onFreePort('app.listen(8081)'), /0 times/)
  assert.throws(() => replaceOnce('a a', 'a', 'b'), /2 times/)
})
