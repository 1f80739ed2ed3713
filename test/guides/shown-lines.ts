import assert from 'node:assert/strict'
import type { Line } from './service-process.ts'

/** What differs between any two runs: it has to look right, on the page and in the log. */
const changing: Readonly<Record<string, RegExp>> = {
  timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(\+00:00)?$/,
  request_id: /^([\w-]{11}|[0-9a-f]{8}-(…|[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}))$/,
  remote_ip: /^127\.0\.0\.1:\d+$/,
  elapsed: /^\d+(\.\d+)?$/,
  ttfb: /^\d+(\.\d+)?$/,
}

/**
 * Asserts that the log says what the page shows, member by member and in the same order. `…` in a shown text stands
 * for anything.
 * @param leftOut members that the page says it does not show
 */
export function assertShown(real: readonly Line[], shown: readonly Line[], leftOut: readonly string[]): void {
  const kept = real.map(line => Object.keys(line).filter(key => !leftOut.includes(key)))
  assert.deepEqual(shown.map(Object.keys), kept)
  for (const [at, line] of shown.entries()) {
    for (const [key, value] of Object.entries(line)) assertSame(key, real[at]?.[key], value)
  }
  assert.equal(
    new Set(shown.map(line => line.request_id)).size,
    new Set(real.map(line => line.request_id)).size,
  )
}

function assertSame(key: string, real: unknown, shown: unknown): void {
  if (real === shown) return
  const pattern = changing[key]
  if (pattern !== undefined) {
    for (const value of [real, shown]) assert.match(String(value), pattern, key)
  } else if (typeof shown === 'string' && shown.includes('…')) {
    const parts = shown.split('…').map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    assert.match(String(real), new RegExp(`^${parts.join('[^]*')}$`), key)
  } else assert.deepEqual(real, shown, key)
}
