import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultSkipPaths, skipTest } from './skip-paths.ts'

test('IF-07 a text is the exact path: no prefix, no pattern, no other trailing slash', () => {
  const isSkipped = skipTest(['/health', '/a.b'])
  assert.ok(isSkipped('/health') && isSkipped('/a.b'))
  for (const path of ['/health/', '/healthz', '/HEALTH', '/a/health', '/axb', '/', '']) {
    assert.equal(isSkipped(path), false, path)
  }
})

test('IF-07 prefixes and patterns, whose flags do not make them forgetful', () => {
  const isSkipped = skipTest([{ prefix: '/static/' }, /\.ico$/g, /^\/ping/iy])
  for (let i = 0; i < 3; i++) {
    for (const path of ['/static/', '/static/a.css', '/favicon.ico', '/PING'])
      assert.ok(isSkipped(path), path)
    for (const path of ['/static', '/a/static/', '/favicon.icon', '/a/ping'])
      assert.ok(!isSkipped(path), path)
  }
})

test('IF-07 X-10 the default list, and the empty list that skips nothing', () => {
  const byDefault = skipTest(defaultSkipPaths)
  const ours = ['/__heartbeat__', '/__lbheartbeat__', '/__readiness__', '/__version__']
  for (const path of ['/health', '/healthz', ...ours, ...ours.map(each => `${each}/`)]) {
    assert.ok(byDefault(path), path)
    assert.equal(skipTest([])(path), false)
  }
  assert.equal(byDefault('/'), false)
})
