import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTraceparent } from './trace-context.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parentId = '00f067aa0ba902b7'

test('W3C Trace Context: a valid header is read', () => {
  assert.deepEqual(readTraceparent(`00-${traceId}-${parentId}-01`), {
    traceId,
    parentId,
    sampled: true,
    spanId: null,
  })
  assert.deepEqual(readTraceparent(`00-${traceId}-${parentId}-02`), {
    traceId,
    parentId,
    sampled: false,
    spanId: null,
  })
  assert.equal(readTraceparent(`00-${traceId}-${parentId}-ff`)?.sampled, true)
  assert.equal(readTraceparent(`cc-${traceId}-${parentId}-01-later-fields`)?.traceId, traceId)
  assert.equal(readTraceparent(`cc-${traceId}-${parentId}-01`)?.parentId, parentId)
})

test('W3C Trace Context: an invalid header is none', () => {
  const headers = [
    undefined,
    '',
    'x',
    `00-${traceId}-${parentId}`,
    `00-${traceId}-${parentId}-01-extra`,
    `00-${traceId}-${parentId}-01-`,
    `ff-${traceId}-${parentId}-01`,
    `0-${traceId}-${parentId}-01`,
    `00-${'0'.repeat(32)}-${parentId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${parentId}-01`,
    `00-${traceId.slice(1)}-${parentId}-01`,
    `00-${traceId}-${parentId}-0g`,
    `cc-${traceId}-${parentId}-01later`,
    ` 00-${traceId}-${parentId}-01`,
    `00-${traceId}-${parentId}-01\n`,
  ]
  for (const header of headers) assert.equal(readTraceparent(header), null, String(header))
})
