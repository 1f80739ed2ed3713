import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { aLedger, someEvents } from '../../testing/ledger-events.ts'
import { keepAll, until } from '../../testing/ledger-stand-in.ts'
import { aSpooledOutlet, spooledText, spoolFolder } from '../../testing/spooled-events.ts'

const unavailable = () => ({ status: 503 })

test('ruling 23 a folder that cannot be written is said once, and events wait in memory', async t => {
  const folder = join(spoolFolder(t), 'file')
  writeFileSync(folder, 'a file where the folder should be')
  const ledger = await aLedger(t, unavailable)
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder)
  const [first, second, third] = someEvents(3)
  outlet.offer(first!)
  assert.equal(await outlet.keep(second!), false)
  assert.equal(await outlet.keep(third!), false)
  const told = notices.filter(({ notice }) => notice === 'spool_unusable')
  assert.equal(told.length, 1)
  assert.match(String(told[0]?.message), /memory only.*DEEDBOX_SPOOL/)
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(10_000), true)
  assert.equal(ledger.stored.size, 3)
})

test('ruling 23 a folder that is removed meanwhile is made anew with what still waits', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder)
  const [first] = someEvents(1)
  assert.equal(await outlet.keep(first!), true)
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true })
  // The open file can still be written to; the next one cannot be made.
  for (const event of someEvents(6_000)) outlet.offer({ ...event, payload: `"${'x'.repeat(900)}"` })
  await until(() => notices.some(({ notice }) => notice === 'spool_lost'))
  await until(() => spooledText(folder).includes(first!.idempotencyKey))
  // Until the new folder is whole, an event can be told to be in memory alone; then no more.
  let tried = 1
  while (!(await outlet.keep(someEvents(1)[0]!))) {
    assert(++tried < 500)
    await pause(20)
  }
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(60_000), true)
  assert.equal(ledger.stored.size, 6_001 + tried)
})

/** A file system of two megabytes, where the machine lets us have one. */
function smallDisk(folder: string): (() => void) | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'deedbox-test', folder], { stdio: 'ignore' })
    chmodSync(folder, 0o700)
    return () => execFileSync('umount', ['-l', folder])
  } catch {
    return undefined
  }
}

test('ruling 23 a full disk: events wait in memory, then drop; with room again they are written', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-small-'))
  const unmount = smallDisk(folder)
  t.after(() => {
    unmount?.()
    rmSync(folder, { recursive: true, force: true })
  })
  if (unmount === undefined) {
    t.skip('mounting a small file system needs root')
    return
  }
  const filler = join(folder, 'filler')
  const ledger = await aLedger(t, unavailable)
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder, { capacity: 100 })
  const events = someEvents(300).map(event => ({ ...event, payload: `"${'x'.repeat(5_000)}"` }))
  assert.equal(await outlet.keep(events[0]!), true)
  fill(filler)
  assert.equal(await outlet.keep(events[1]!), false)
  for (const event of events.slice(2)) outlet.offer(event)
  await until(() => notices.some(({ notice }) => notice === 'spool_failed'))
  await until(() => outlet.stats().queued + outlet.stats().dropped === 300)
  const { queued, dropped } = outlet.stats()
  // While a batch is on its way, others have its room in memory.
  assert.ok(queued >= 100 && queued <= 200, 'the memory, and what is on its way')
  assert.equal(queued + dropped, 300)
  rmSync(filler)
  await until(() => spooledText(folder).includes(events[99]!.idempotencyKey))
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(60_000), true)
  assert.equal(await outlet.keep(someEvents(1)[0]!), true)
  assert.equal(await outlet.flush(60_000), true)
  assert.equal(ledger.stored.size, queued + 1)
  assert.equal(outlet.stats().duplicate, 0)
  outlet.close()
  await until(() => spooledText(folder) === '')
})

function fill(file: string): void {
  for (let size = 4 * 1024 * 1024; size >= 4_096; size /= 2) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' })
    } catch {
      // No room for so much; a smaller piece may fit.
    }
  }
}
