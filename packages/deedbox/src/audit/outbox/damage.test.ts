import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { aLedger, someEvents } from '../../testing/ledger-events.ts'
import { keepAll, until } from '../../testing/ledger-stand-in.ts'
import { aSpooledOutlet, filesBelow, spoolFolder } from '../../testing/spooled-events.ts'
import type { AuditEvent } from '../audit-event.ts'
import { eventLine, readRecords, settledLine } from './record.ts'

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
