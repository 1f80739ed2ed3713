import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createExporter } from '../chests/index.ts'
import type { DeedboxOptions } from '../index.ts'
import { type HealthService, healthService } from '../testing/health-service.ts'
import { aLedger } from '../testing/ledger-events.ts'
import { keepAll, type Script, until } from '../testing/ledger-stand-in.ts'
import { MemoryChest } from '../testing/readable-chest.ts'
import { recordingChest } from '../testing/recording-chest.ts'
import { ChestError } from '../tracking/index.ts'
import { check, type HealthOptions } from './index.ts'
import { RecentCount } from './recent-count.ts'

function spool(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'deedbox-own-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A service with its own checks, before a ledger that does as it is told. */
async function audited(t: TestContext, script: Script, options: DeedboxOptions = {}) {
  const ledger = await aLedger(t, script)
  const service = await healthService(
    t,
    { ownChecks: true },
    {
      ledger: { url: ledger.url, apiKey: 'a-key-for-the-tests' },
      ...options,
      audit: { spool: { folder: spool(t) }, producer: false, linger: 0, ...options.audit },
    },
  )
  return { ledger, ...service }
}

/** Has one event delivered, or not, in the background. */
function offer({ box }: Pick<HealthService, 'box'>, name = 'order.placed'): void {
  box.run({ name: 'job' }, () => box.event(name))
}

/** The messages of one check, and how the service stands. */
async function found(
  { heartbeat, ask }: HealthService,
  name: string,
): Promise<Readonly<Record<string, string>>> {
  const { details } = await heartbeat()
  // Our own parts are none of readiness's business.
  assert.equal((await ask('/__readiness__')).status, 200)
  return details[name]?.messages ?? {}
}

test('gap 12 all is well: each part by its name; no ledger, no outbox', async t => {
  const chest = recordingChest('vars')
  const service = await audited(t, keepAll, { chests: [chest] })
  assert.deepEqual(await service.heartbeat(), {
    status: 'ok',
    checks: {
      check_outbox: 'ok',
      check_ledger: 'ok',
      check_log: 'ok',
      check_chest_recording: 'ok',
    },
    details: {},
  })
  for (const boxOptions of [{ ledger: null }, { audit: { mode: 'dryRun' } }] as DeedboxOptions[]) {
    const { heartbeat } = await healthService(t, { ownChecks: true }, boxOptions)
    assert.deepEqual((await heartbeat()).checks, { check_log: 'ok' })
  }
  assert.deepEqual((await (await healthService(t)).heartbeat()).checks, {})
})

test('gap 12 a check of the service’s own goes before ours of the same name; ours are not registered', async t => {
  const own: HealthOptions = { ownChecks: true, checks: [check('check_log', () => [])] }
  const { heartbeat, box } = await healthService(t, own)
  assert.deepEqual((await heartbeat()).checks, { check_log: 'ok' })
  assert.deepEqual(box.checks.names, ['check_log'])
})

test('gap 12 the ledger does not take events: a warning with how many wait, gone once it does; no request for it', async t => {
  const service = await audited(t, () => ({ status: 503, body: { ok: false, reason: 'busy' } }))
  offer(service)
  await until(() => service.box.stats().audit.retried > 0)
  const calls = service.ledger.calls.length
  const { 'deedbox.ledger.W002': text = '', ...more } = await found(service, 'check_ledger')
  assert.match(text, /^The ledger has taken no event for \d+ s, 1 wait: /)
  assert.deepEqual(more, {})
  assert.equal((await service.ask('/__heartbeat__')).status, 200)
  assert(service.ledger.calls.length - calls <= 1, 'a heartbeat asks the ledger nothing')
  service.ledger.follow(keepAll)
  assert.equal(await service.box.flush(20_000), true)
  assert.deepEqual(await found(service, 'check_ledger'), {})
})

test('gap 12 after five minutes with events that wait it is an error', async t => {
  const service = await audited(t, () => 'cut')
  offer(service)
  await until(() => service.box.stats().audit.retried > 0)
  const later = Date.now() + 301_000
  t.mock.method(Date, 'now', () => later)
  assert.match(
    (await found(service, 'check_ledger'))['deedbox.ledger.E002'] ?? '',
    /^The ledger has taken no event for 30\d s, 1 wait/,
  )
  assert.equal((await service.ask('/__heartbeat__')).status, 500)
})

test('gap 12 the quota is used up', async t => {
  const service = await audited(t, () => ({
    status: 429,
    body: { ok: false, reason: 'quota' },
    headers: { 'retry-after': '60' },
  }))
  offer(service)
  await until(() => service.box.stats().audit.pausedUntil !== null)
  const messages = await found(service, 'check_ledger')
  assert.deepEqual(Object.keys(messages), ['deedbox.ledger.W003'])
  assert.match(messages['deedbox.ledger.W003'] ?? '', /Nothing is sent until \d{4}-.*Z\.$/)
})

test('gap 12 a ledger that cannot be opened', async t => {
  const ledger = Promise.reject(new Error('no such file'))
  const service = await healthService(t, { ownChecks: true }, { ledger })
  assert.deepEqual(await found(service, 'check_ledger'), {
    'deedbox.ledger.E001': 'The ledger could not be opened, and no event is stored: no such file',
  })
})

test('gap 12 dead letters on the disk are a warning, also those of an earlier process', async t => {
  const folder = spool(t)
  const refuse: Script = () => ({ status: 422, body: { ok: false, reason: 'invalid_meta', message: 'no' } })
  const first = await audited(t, refuse, { audit: { spool: { folder } } })
  offer(first)
  await until(() => first.box.stats().audit.deadLetters === 1)
  const text = (await found(first, 'check_outbox'))['deedbox.outbox.W003'] ?? ''
  assert.match(text, /^What was refused for good is kept as dead letters, [1-9]\d* bytes of them\.$/)
  await first.box.close()
  const later = await healthService(
    t,
    { ownChecks: true },
    { ledger: { url: first.ledger.url, apiKey: 'a-key' }, audit: { spool: { folder }, producer: false } },
  )
  assert.deepEqual(await found(later, 'check_outbox'), { 'deedbox.outbox.W003': text })
})

test('gap 12 an outbox in memory that is nearly full, and what it dropped', async t => {
  const service = await audited(t, () => 'never', { audit: { durability: 'memory', capacity: 10 } })
  for (let n = 0; n < 9; n++) offer(service)
  await until(() => service.box.stats().audit.queued === 9)
  const full = /^The room for audit events is 90 % full\.$/
  assert.match((await found(service, 'check_outbox'))['deedbox.outbox.W002'] ?? '', full)
  for (let n = 0; n < 20; n++) offer(service)
  await until(() => service.box.stats().audit.dropped > 0)
  assert.match(
    (await found(service, 'check_outbox'))['deedbox.outbox.E001'] ?? '',
    /^Audit events were dropped in the last ten minutes: (\d+), since the start \1\.$/,
  )
})

test('gap 12 a spool that cannot be written is said: events wait in memory alone', async t => {
  const service = await audited(t, () => 'never', { audit: { spool: { folder: '/dev/null/spool' } } })
  offer(service)
  await until(() => service.box.stats().audit.queued === 1)
  assert.deepEqual(Object.keys(await found(service, 'check_outbox')), ['deedbox.outbox.W004'])
})

test('gap 12 lines that no sink took', async t => {
  const sink = (): void => {
    throw new Error('disk full')
  }
  const service = await healthService(t, { ownChecks: true }, { log: { sink } })
  // What it says of itself is lost, too.
  await service.heartbeat()
  assert.match(
    (await found(service, 'check_log'))['deedbox.log.E001'] ?? '',
    /^Log lines were lost in the last ten minutes: (\d+), since the start \1\.$/,
  )
})

test('gap 12 a chest by its own check and what it lost; one that hangs takes only its own time', async t => {
  const refusing = recordingChest('refusing', () => {
    throw new ChestError('refused', 'Recording(name=refusing)', 'refuses.')
  })
  const away = Object.assign(recordingChest('away'), {
    check: async () => [{ id: 'deedbox.chest.unreachable', level: 'error', message: 'It is away.' }],
  })
  const hanging = Object.assign(recordingChest('hanging'), { check: () => new Promise(() => {}) })
  const { box, heartbeat, ask } = await healthService(
    t,
    { ownChecks: true, timeout: 50 },
    { chests: [refusing, away as never, hanging as never] },
  )
  box.run({ name: 'job' }, () => box.set({ user: 'u' }))
  await until(() => box.stats().chests[0]?.rejected === 1)
  const { details } = await heartbeat()
  const names = ['refusing', 'away', 'hanging'].map(
    (_, i) => `check_chest_recording${i === 0 ? '' : `_${i + 1}`}`,
  )
  const messages = (name: string) =>
    details[names[['refusing', 'away', 'hanging'].indexOf(name)] ?? '']?.messages
  assert.deepEqual(messages('refusing'), {
    'deedbox.chest.E001':
      'Recording(name=refusing) has lost entries. The variables of requests that it did not get in the last ten minutes: 1.',
  })
  assert.deepEqual(messages('away'), { 'deedbox.chest.unreachable': 'It is away.' })
  assert.deepEqual(messages('hanging'), {
    'deedbox.health.E102': 'The check has not answered within 50 ms.',
  })
  assert.equal((await ask('/__readiness__')).status, 200)
})

test('gap 12 an exporter: not started, failed, well again', async t => {
  const [from, to] = [new MemoryChest('from'), new MemoryChest('to')]
  const exporter = createExporter({ from, to, name: 'vars' })
  const service = await healthService(t, { checks: [exporter.check()] })
  const state = async (): Promise<string[]> => Object.keys(await found(service, 'check_export'))
  assert.deepEqual(await state(), ['deedbox.export.W003'])
  await exporter.runOnce()
  assert.deepEqual(await state(), [])
  const { oldest } = from
  from.oldest = () => Promise.reject(new Error('mysql://app:hunter2secret@db is away'))
  await assert.rejects(exporter.runOnce())
  const messages = await found(service, 'check_export')
  assert.match(
    messages['deedbox.export.E001'] ?? '',
    /^The last run of vars failed: mysql:.* is away\. The last good one ended \d{4}-.*Z\.$/,
  )
  assert(!JSON.stringify(messages).includes('hunter2'))
  from.oldest = oldest
  await exporter.runOnce()
  assert.deepEqual(await state(), [])
})

test('gap 12 growth counts for a while from when it was seen', () => {
  const count = new RecentCount(100, 2)
  assert.deepEqual(
    [
      [2, 0],
      [5, 10],
      [5, 60],
      [6, 105],
      [6, 111],
      [6, 205],
    ].map(([value, at]) => count.grewBy(value!, at)),
    [0, 3, 3, 4, 1, 0],
  )
})
