import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { aLedger, someEvents } from '../../testing/ledger-events.ts'
import { keepAll, until } from '../../testing/ledger-stand-in.ts'
import { aSpooledOutlet, filesBelow, spoolFolder } from '../../testing/spooled-events.ts'
import type { AuditEvent } from '../audit-event.ts'
import { IdRanges } from './id-ranges.ts'
import { eventLine, readRecords, settledLine } from './record.ts'
import { openSpool } from './spool-cursor.ts'

const events = someEvents(12).map((event, i) => ({
  ...event,
  payload: JSON.stringify({ text: '"\\\n é'.repeat(i) }),
}))

/** A spool as it is written: with the line break that each write begins with, and marks in between. */
const pieces = events.map((event, i) => `${i % 4 === 0 ? '\n' : ''}${eventLine(i + 1, event)}`)
pieces.splice(5, 0, settledLine([1, 2, 3]))
const whole = Buffer.from(pieces.join(''))

/** Where each event stands, without the line break after it. */
const places = pieces
  .map((piece, i) => {
    const from = Buffer.byteLength(pieces.slice(0, i).join('')) + (piece.startsWith('\n') ? 1 : 0)
    return { piece, from, to: Buffer.byteLength(pieces.slice(0, i + 1).join('')) - 1 }
  })
  .filter(({ piece }) => piece.includes('"key"'))

function read(bytes: Buffer): { events: Map<number, AuditEvent>; damaged: number } {
  const { records, damaged, consumed } = readRecords(bytes, true)
  assert.equal(consumed, bytes.length)
  const found = new Map<number, AuditEvent>()
  for (const record of records) if ('event' in record) found.set(record.id, record.event)
  return { events: found, damaged }
}

/**
 * Each event that does not touch a damaged byte is there and the same; nothing is there that was not; a loss is told, if
 * there is anything left to tell it by.
 */
function assertOnlyHitsAreLost(
  bytes: Buffer,
  isHit: (from: number, to: number) => boolean,
  isTold: (from: number) => boolean = () => true,
): void {
  const { events: found, damaged } = read(bytes)
  places.forEach(({ from, to }, i) => {
    if (!isHit(from, to)) assert.deepEqual(found.get(i + 1), events[i], `event ${i + 1} at ${from}`)
    else if (!found.has(i + 1) && isTold(from)) assert.ok(damaged > 0)
  })
  for (const [id, event] of found) assert.deepEqual(event, events[id - 1])
}

test('ruling 23 bits that flip anywhere in a spool cost the records that they hit, and are noticed', () => {
  const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(7)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(flips, wanted => {
      const bytes = Buffer.from(whole)
      for (const [at, bit] of wanted) bytes[at]! ^= 1 << bit
      const hits = wanted.map(([at]) => at)
      assertOnlyHitsAreLost(bytes, (from, to) => hits.some(at => at >= from && at < to))
    }),
    { numRuns: 1_000 },
  )
})

test('ruling 23 a spool that ends anywhere, or goes on with zeros or anything, loses what is behind the cut', () => {
  const tail = fc.oneof(fc.constant(Buffer.alloc(300)), fc.uint8Array({ maxLength: 200 }))
  fc.assert(
    fc.property(fc.nat(whole.length), tail, (at, rest) => {
      const cut = Buffer.concat([whole.subarray(0, at), rest])
      assertOnlyHitsAreLost(
        cut,
        (_from, to) => to > at,
        from => from < at,
      )
    }),
    { numRuns: 500 },
  )
})

test('ruling 23 numbers of events are kept as ranges, however wide', async t => {
  fc.assert(
    fc.property(fc.array(fc.nat(40)), fc.array(fc.tuple(fc.nat(40), fc.nat(5))), (ids, pairs) => {
      const ranges = new IdRanges(pairs.map(([from, more]) => [from, from + more]))
      const expected = new Set(
        pairs.flatMap(([from, more]) => Array.from({ length: more + 1 }, (_, i) => from + i)),
      )
      for (const id of ids) {
        assert.equal(ranges.add(id), !expected.has(id))
        expected.add(id)
      }
      for (let id = 0; id < 60; id++) assert.equal(ranges.has(id), expected.has(id), `${id}`)
    }),
  )
  const folder = spoolFolder(t)
  const json = '{"settled":[[1,9000000000000000],[2,8000000000000000]]}'
  const marks = `${crc32(json).toString(16).padStart(8, '0')} ${json.length} ${json}\n`
  writeFileSync(join(folder, '00000001.events'), marks + pieces.join(''))
  assert.equal((await openSpool(folder)).waiting, 0)
})

test('ruling 23 damage that looks like many records costs what is in its line, and no hour', {
  timeout: 60_000,
}, () => {
  // A million sums of half a megabyte each, if each were made.
  const beginning = Buffer.from('zaaaaaaaa 0500000 {"x'.repeat(60_000))
  const { events: found, damaged } = read(Buffer.concat([beginning, whole]))
  assert.equal(damaged, 1)
  assert.deepEqual(found.get(12), events[11])
  const lines = Buffer.from('aaaaaaaa 0500000 {"x\n'.repeat(60_000))
  assert.equal(read(Buffer.concat([lines, whole])).events.size, 12)
})

test('ruling 23 what the own spool lost is counted, its files are put aside, and it goes on', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, () => ({ status: 503 }))
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder, { capacity: 10 })
  const sent = someEvents(100)
  for (const event of sent) outlet.offer(event)
  outlet.persist()
  const file = join(folder, filesBelow(folder).find(name => name.endsWith('.events'))!)
  const bytes = readFileSync(file)
  bytes[bytes.indexOf(sent[50]!.idempotencyKey)]! ^= 1
  writeFileSync(file, bytes)
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(60_000), true)
  assert.deepEqual([ledger.stored.size, outlet.stats().dropped, outlet.stats().spooled], [99, 1, 0])
  assert.match(String(notices.find(({ notice }) => notice === 'spool_damaged')?.folder), /damaged/)
  const aside = filesBelow(folder).filter(name => name.includes('damaged') && name.endsWith('.events'))
  assert.equal(aside.length, 1)
  assert.equal(await outlet.keep(someEvents(1)[0]!), true)
  assert.equal(await outlet.flush(60_000), true)
})

test('ruling 23 a damaged spool is told with its file, delivers the rest, and stops nobody', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, () => ({ status: 503 }))
  const first = aSpooledOutlet(t, ledger, folder)
  const sent = someEvents(30)
  for (const event of sent) first.outlet.offer(event)
  await until(() => ledger.calls.length > 0)
  first.outlet.close()
  await until(() => filesBelow(folder).every(name => !name.endsWith('owner.json')))
  const name = filesBelow(folder).find(file => file.endsWith('.events'))!
  const file = join(folder, name)
  const bytes = readFileSync(file)
  bytes[bytes.indexOf(sent[11]!.idempotencyKey)]! ^= 1
  writeFileSync(file, bytes)
  const copy = spoolFolder(t)
  cpSync(folder, copy, { recursive: true })
  ledger.follow(keepAll)
  const second = aSpooledOutlet(t, ledger, folder)
  await until(() => ledger.stored.size === 29)
  assert.equal(ledger.stored.has(sent[11]!.idempotencyKey), false)
  const told = second.notices.find(({ notice }) => notice === 'spool_damaged')
  assert.equal(told?.places, 1)
  assert.match(String(told?.file), /\.events$/)
  assert.equal(await second.outlet.flush(10_000), true)
  // Nothing in a spool is needed to begin.
  for (const each of filesBelow(copy)) writeFileSync(join(copy, each), 'no spool at all')
  const third = aSpooledOutlet(t, ledger, copy)
  assert.equal(await third.outlet.keep(someEvents(1)[0]!), true)
  assert.equal(await third.outlet.flush(10_000), true)
  rmSync(copy, { recursive: true })
})
