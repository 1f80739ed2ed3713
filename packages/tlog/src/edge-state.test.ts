import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeOfState, edgeState } from './edge-state.ts'
import { encodeUtf8 } from './encoding.ts'
import { leafHash } from './merkle.ts'
import { nodeCrypto } from './node-crypto.ts'
import { RightEdge } from './right-edge.ts'

const { sha256 } = nodeCrypto
const leaf = (n: number) => leafHash(sha256, encodeUtf8(`leaf ${n}`))

function grown(edge: RightEdge, to: number): RightEdge {
  while (edge.size < to) edge.append(leaf(edge.size))
  return edge
}

test('P8 a tree that was written down and read again goes on to the same roots', () => {
  const end = 256 * 257 + 3
  const whole = grown(RightEdge.empty(sha256), end).root()
  for (const size of [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537]) {
    const before = grown(RightEdge.empty(sha256), size)
    const again = edgeOfState(sha256, JSON.parse(JSON.stringify(edgeState(before))))
    assert.deepEqual([again.size, again.root()], [size, before.root()])
    assert.deepEqual(grown(again, end).root(), whole, `from ${size}`)
  }
})

test('a state that was touched is refused', () => {
  const state = edgeState(grown(RightEdge.empty(sha256), 300))
  const other = edgeState(grown(RightEdge.empty(sha256), 301))
  for (const bad of [
    undefined,
    null,
    [],
    'state',
    {},
    { ...state, size: 299 },
    { ...state, size: 301 },
    { ...state, size: -1 },
    { ...state, size: 2 ** 60 },
    { ...state, root: other.root },
    { ...state, root: '?' },
    { ...state, tiles: [] },
    { ...state, tiles: [null] },
    { ...state, tiles: [{ level: 0, hashes: '?' }] },
  ]) {
    assert.throws(() => edgeOfState(sha256, bad), { name: 'TlogError' }, JSON.stringify(bad))
  }
})
