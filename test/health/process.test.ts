import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type Check, diskSpace, eventLoopDelay } from 'deedbox/health'
import { checkedService } from './rounds.ts'

test('diskSpace: what is free is compared with bytes and with shares', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-checks-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { bavail, bsize, blocks } = statfsSync(folder)
  const more = bavail * bsize * 1_000
  const { heartbeat, said } = await checkedService(t, [diskSpace(folder, { warning: 1, error: 1 })])
  assert.deepEqual((await heartbeat()).checks, { check_disk_space: 'ok' })
  assert.deepEqual(await said(), [])
  const told = async (warning: number | string, error: number | string): Promise<string> =>
    String(await (await checkedService(t, [diskSpace(folder, { warning, error })])).said())
  assert.match(
    await told(more, 1),
    /^deedbox.health.W211 \d.* of \d.* [kMGTP]?B are free at .*, less than \d.* [GTP]B\.$/,
  )
  assert.match(await told(1, more), /^deedbox.health.E211 /)
  // Nothing is left of a file system that has blocks of its own for root only, or is in use at all.
  if (bavail < blocks) assert.match(await told('100%', '0%'), /^deedbox.health.W211 .*, less than 100%\.$/)
  assert.equal(await told('0%', '1 B'), '')
})

test('diskSpace: a path that is not there is told', async t => {
  const { said } = await checkedService(t, [diskSpace(join(tmpdir(), 'deedbox-not-there'))])
  assert.match(String(await said()), /^deedbox.health.E212 The free space cannot be told: ENOENT: /)
})

test('diskSpace, eventLoopDelay: levels that cannot be are refused', () => {
  for (const options of [{ warning: '120%' }, { error: '5 parsecs' }, { warning: -1 }, { free: 1 }])
    assert.throws(() => diskSpace('/', options as never), { name: 'ConfigurationError' })
  assert.throws(() => diskSpace(undefined as never), /^ConfigurationError: diskSpace\(\): takes the path/)
  for (const options of [{ warning: 0 }, { error: '100' }, { late: 1 }])
    assert.throws(() => eventLoopDelay(options as never), { name: 'ConfigurationError' })
})

test('eventLoopDelay: a loop that was blocked since the last round is told, once', async t => {
  const one = eventLoopDelay({ warning: 300, error: 60_000 })
  const { heartbeat } = await checkedService(t, [one])
  assert.deepEqual((await heartbeat()).checks, { check_event_loop_delay: 'ok' })
  // Also where it comes to one turn between two rounds.
  for (let n = 0; n < 3; n++) {
    for (const until = performance.now() + 600; performance.now() < until; );
    const [said = ''] = Object.values((await heartbeat()).details.check_event_loop_delay?.messages ?? {})
    assert.match(said, /^The event loop was \d{3,} ms late, more than 300 ms\.$/)
  }
  await quietRound(one)
})

/** Rounds until one has nothing to say: a busy machine stalls a loop as well. */
async function quietRound(one: Check): Promise<void> {
  const { signal } = new AbortController()
  for (;;) if (((await one.run(signal)) ?? []).length === 0) return
}

test('eventLoopDelay: a single stall among very many turns is told', async () => {
  const one = eventLoopDelay({ warning: 300, error: 60_000 })
  const { signal } = new AbortController()
  await quietRound(one)
  for (const until = performance.now() + 600; performance.now() < until; );
  // Far more looks than a hundredth of them.
  for (let n = 0; n < 150; n++) await setTimeout(20)
  const [said] = (await one.run(signal)) ?? []
  assert.match(said?.message ?? '', /^The event loop was \d{3,} ms late, more than 300 ms\.$/)
})

test('eventLoopDelay: it keeps no process alive', async () => {
  const source = `
    import { eventLoopDelay } from 'deedbox/health'
    eventLoopDelay().run(new AbortController().signal)`
  const child = spawn(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module', '-e', source],
    {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
