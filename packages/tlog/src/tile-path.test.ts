import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { tlogError } from './testing/both-cryptos.ts'
import { entriesPath, parseTilePath, type TilePath, tilePath } from './tile-path.ts'

const malformed = tlogError('malformed_tile_path')

test('tlog-tiles paths of the worked examples', () => {
  const elements: [number, string][] = [
    [0, '000'],
    [999, '999'],
    [1000, 'x001/000'],
    [1_234_067, 'x001/x234/067'],
    [1_000_000_000, 'x001/x000/x000/000'],
    [Number.MAX_SAFE_INTEGER, 'x009/x007/x199/x254/x740/991'],
  ]
  for (const [n, element] of elements) {
    assert.equal(tilePath(3, n), `tile/3/${element}`)
    assert.equal(tilePath(0, n, 112), `tile/0/${element}.p/112`)
    assert.equal(entriesPath(n), `tile/entries/${element}`)
    assert.equal(entriesPath(n, 1), `tile/entries/${element}.p/1`)
    assert.deepEqual(parseTilePath(`tile/63/${element}.p/255`), { kind: 'hashes', level: 63, n, width: 255 })
    assert.deepEqual(parseTilePath(`tile/entries/${element}`), { kind: 'entries', n, width: 256 })
  }
})

test('tlog-tiles every path is read back as what it was made of', () => {
  const width = fc.integer({ min: 1, max: 256 })
  const path = fc.oneof(
    fc.record(
      { kind: fc.constant('hashes' as const), level: fc.nat(63), n: fc.maxSafeNat(), width },
      { noNullPrototype: true },
    ),
    fc.record(
      { kind: fc.constant('entries' as const), n: fc.maxSafeNat(), width },
      { noNullPrototype: true },
    ),
  )
  fc.assert(
    fc.property(path, (parts: TilePath) => {
      const text =
        parts.kind === 'hashes'
          ? tilePath(parts.level, parts.n, parts.width)
          : entriesPath(parts.n, parts.width)
      assert.deepEqual(parseTilePath(text), parts)
    }),
  )
})

test('P14 anything but the one path of a resource is refused', () => {
  const refused = [
    ...[
      '',
      '/',
      'tile',
      'tile/0',
      'tile/0/',
      '/tile/0/000',
      'tile/0/000/',
      'tile//000',
      'Tile/0/000',
      'tile/0/000\n',
    ],
    ...[
      'tile/00/000',
      'tile/01/000',
      'tile/64/000',
      'tile/-1/000',
      'tile/+1/000',
      'tile/x/000',
      'tile/8/0/000',
    ],
    ...[
      'tile/0/0',
      'tile/0/00',
      'tile/0/0000',
      'tile/0/x000',
      'tile/0/x000/001',
      'tile/0/001/000',
      'tile/0/x001/x000',
    ],
    ...['tile/0/X001/000', 'tile/0/x1/000', 'tile/0/٠٠٠', 'tile/0/000.P/1', 'tile/0/000.p', 'tile/0/000.p/'],
    ...[
      'tile/0/000.p/0',
      'tile/0/000.p/01',
      'tile/0/000.p/256',
      'tile/0/000.p/999',
      'tile/0/000.p/-1',
      'tile/0/000.p/1/',
    ],
    ...[
      'tile/0/000.p/1.p/1',
      'tile/entries/',
      'tile/entries/0',
      'tile/entries/000.p/256',
      'tile/data/000',
      'checkpoint',
    ],
    ...[
      'tile/0/x009/x007/x199/x254/x740/992',
      'tile/0/x009/x223/x372/x036/x854/x775/807',
      'tile/0/../000',
      'tile/0/%30',
    ],
  ]
  for (const path of refused) assert.throws(() => parseTilePath(path), malformed, path)
  assert.throws(
    () => parseTilePath('x'.repeat(1_000_000)),
    (error: Error) => error.message.length < 200,
  )
})

test('coordinates that no tile has are refused', () => {
  for (const level of [-1, 64, 0.5, Number.NaN]) assert.throws(() => tilePath(level, 0), malformed)
  for (const n of [-1, 0.5, 2 ** 53, Number.NaN]) {
    assert.throws(() => tilePath(0, n), malformed)
    assert.throws(() => entriesPath(n), malformed)
  }
  for (const width of [0, 257, 1.5, -1, Number.NaN]) {
    assert.throws(() => tilePath(0, 0, width), malformed)
    assert.throws(() => entriesPath(0, width), malformed)
  }
})
