import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultSkipPaths, skipsHealth, skipTest } from './skip-paths.ts'

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
  for (const path of ['/', '/metrics']) assert.equal(byDefault(path), false)
})

test('X-10 a list with all of the default one means health endpoints wherever they are', () => {
  assert.ok(skipsHealth(defaultSkipPaths) && skipsHealth(['/ping', ...defaultSkipPaths]))
  for (const list of [[], ['/__heartbeat__'], defaultSkipPaths.slice(1)]) assert.ok(!skipsHealth(list))
})
