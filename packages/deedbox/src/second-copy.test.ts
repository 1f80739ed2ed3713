import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { current, event, get, log, set } from './default-instance.ts'
import { aBox } from './testing/ledger-events.ts'
import { recordingChest } from './testing/recording-chest.ts'
import { ChestError } from './tracking/index.ts'

type Package = typeof import('./index.ts')

/** Imports the package again, so that every module of it exists a second time in this process. */
async function secondCopy(): Promise<Package> {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const isCopy = context.parentURL?.endsWith('?copy') === true && resolved.url.startsWith('file:')
      return isCopy && !resolved.url.includes('/node_modules/')
        ? { ...resolved, url: `${resolved.url}?copy` }
        : resolved
    },
  })
  const name = './index.ts?copy'
  try {
    return (await import(name)) as Package
  } finally {
    hooks.deregister()
  }
}

test('ruling 3 inside a job the free functions act on its instance', async t => {
  const first = aBox(t, {})
  const second = aBox(t, {})
  await second.box.run({ name: 'job', requestId: 'inner' }, async () => {
    set({ user: 'u' })
    event('job.named')
    log.info('inside')
    await Promise.resolve()
    assert.deepEqual([get('user'), second.box.get('user'), first.box.get('user')], ['u', 'u', undefined])
    assert.deepEqual(
      [current()?.requestId, second.box.requestId, first.box.requestId],
      ['inner', 'inner', undefined],
    )
  })
  assert.equal(second.lines.find(({ message }) => message === 'inside')?.request_id, 'inner')
  assert.ok(second.lines.some(({ type, event_name }) => type === 'audit' && event_name === 'job.named'))
  assert.ok(!first.lines.some(({ message }) => message === 'inside' || message === 'audit event'))
  assert.equal(current(), undefined)
})

test('X-17 instances share nothing: a job inside a job of another instance keeps to its own', t => {
  const outer = aBox(t, {})
  const inner = aBox(t, {})
  outer.box.run({ name: 'o', requestId: 'outer-id' }, () => {
    inner.box.run({ name: 'i', requestId: 'inner-id' }, () => {
      outer.box.set({ of: 'outer' })
      inner.box.set({ of: 'inner' })
      assert.deepEqual([outer.box.requestId, inner.box.requestId], ['outer-id', 'inner-id'])
      assert.equal(get('of'), 'inner')
    })
    assert.equal(get('of'), 'outer')
    assert.equal(inner.box.requestId, undefined)
  })
})

test('ruling 3 outside a request set and event say that they did nothing', t => {
  const { lines } = aBox(t, {})
  set({ a: 1 })
  event('x')
  assert.equal(get('a'), undefined)
  const [notice] = lines.filter(line => line.notice === 'no_request')
  assert.match(String(notice?.message), /^set\(\) was called outside a request and did nothing/)
})

test('ruling 3 two copies of the package share the request and the default instance', async t => {
  const copy = await secondCopy()
  assert.notEqual(copy.log, log, 'really a second copy')
  const { box, lines } = aBox(t, {})
  box.run({ name: 'job', requestId: 'shared' }, () => {
    assert.equal(copy.current()?.requestId, 'shared')
    copy.set({ from: 'the copy' })
    copy.log.info('from the copy')
    copy.event('copy.named')
    assert.equal(get('from'), 'the copy')
  })
  assert.equal(lines.find(({ message }) => message === 'from the copy')?.request_id, 'shared')
  assert.ok(lines.some(({ event_name }) => event_name === 'copy.named'))
  copy.log.info('outside')
  assert.ok(lines.some(({ message }) => message === 'outside'))

  const written: string[] = []
  const theirs = copy.deedbox({ flushOnSignal: false, log: { sink: { write: line => written.push(line) } } })
  t.after(() => theirs.close(0))
  theirs.run({ name: 'theirs', requestId: 'of-the-copy' }, () => {
    assert.equal(current()?.requestId, 'of-the-copy')
    log.info('through this copy')
  })
  assert.ok(written.some(line => line.includes('through this copy') && line.includes('of-the-copy')))
})

test('ruling 3 FC-11 FC-12 tracked() and chests of another copy serve requests of this one', async t => {
  const { tracked } = await secondCopy()
  const room = './tracking/index.ts?copy'
  const { ChestError: TheirError } = (await import(room)) as typeof import('./tracking/index.ts')
  assert.notEqual(TheirError, ChestError)
  const dead = recordingChest('dead', () => {
    throw new TheirError('refused', 'Recording(name=dead)', 'no')
  })
  const alive = recordingChest('alive')
  const { box } = aBox(t, {})
  const work = (input: { await?: boolean; raise?: boolean }): Promise<unknown> =>
    box.run(
      { name: 'job', requestId: 'j-1' },
      tracked({ chests: [dead, alive], ...input }, async () => box.set({ a: 1 })),
    )
  await assert.rejects(work({ raise: true }), ChestError)
  await work({})
  assert.equal(await box.flush(), true)
  assert.equal(alive.entries.length, 2)
  const [stats] = box.stats().chests
  assert.deepEqual([stats?.failed, stats?.rejected], [1, 2], 'both refused for good, so tried no more')
})
