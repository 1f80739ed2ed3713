import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routeOf } from './koa-routing.ts'

// Routers themselves are in test/frameworks; here is what koa-mount leaves behind, which is not installed.

test('IF-06 IF-16 below koa-mount the template has the path at which the router hangs', () => {
  const cases: [url: string, mountPath: string | undefined, pattern: unknown, template: string][] = [
    ['/items/7', undefined, '/items/:id', '/items/:id'],
    ['/api/items/7?a=1', '/api', '/items/:id', '/api/items/:id'],
    ['/api/v1/items/7', '/v1', '/items/:id', '/api/v1/items/:id'],
    ['/api/items/7/', '/api/', '/items/:id', '/api/items/:id'],
    ['/api', '/api', '/', '/api'],
    // A mounted application that passed the request on.
    ['/admin/users/7', '/admin', '/admin/users/:id', '/admin/users/:id'],
    // Patterns whose number of segments is open stay as they are.
    ['/api/files/a/b', '/api', '/files/{*path}', '/files/{*path}'],
    ['/api/7', '/api', /^\/(\d+)$/, '/^\\/(\\d+)$/'],
  ]
  for (const [originalUrl, mountPath, _matchedRoute, template] of cases) {
    assert.equal(routeOf({ method: 'GET', originalUrl, mountPath, _matchedRoute }), template, originalUrl)
  }
})
