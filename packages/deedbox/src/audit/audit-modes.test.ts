import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { ConfigurationError, type DeedboxOptions, SendError } from '../index.ts'
import { readSettings } from '../settings.ts'
import { client, get, heldService, waitingLedger } from '../testing/held-responses.ts'
import { aBox, aLedger, noticesOf } from '../testing/ledger-events.ts'
import { keepAll, until } from '../testing/ledger-stand-in.ts'
import { serve } from '../testing/served.ts'
import { routeModes } from './audit-modes.ts'

const close = 'Connection: close'
const ledger = { url: 'http://127.0.0.1:1', apiKey: 'key' }

test('X-11 modes by route: the template with its method goes before the template, and both before the default', () => {
  const { modeOf, unmet } = routeModes('buffer', {
    'POST /transfers/:id': 'closed',
    'get  /transfers/:id': 'open',
    '/transfers/:id': 'off',
    '/plain': 'open',
    '/never': 'closed',
  })
  assert.ok(modeOf !== undefined)
  const path = '/transfers/7'
  assert.equal(modeOf({ method: 'POST', route: '/transfers/:id', path }), 'closed')
  assert.equal(modeOf({ method: 'GET', route: '/transfers/:id', path }), 'open')
  assert.equal(modeOf({ method: 'PUT', route: '/transfers/:id', path }), 'off')
  // A middleware that answers before the route is found, such as one that refuses.
  assert.equal(modeOf({ method: 'POST', route: null, path }), 'closed')
  assert.equal(modeOf({ method: 'PUT', route: null, path }), 'off')
  assert.equal(modeOf({ method: 'PUT', route: null, path: '/transfers/7/lines' }), 'buffer')
  assert.equal(modeOf({ method: 'PUT', route: null, path: '/transfers/' }), 'buffer')
  assert.equal(modeOf({ method: 'POST', route: '/transfers/new', path: '/transfers/new' }), 'buffer')
  assert.equal(modeOf({ method: 'PUT', route: null, path: '/plain' }), 'open')
  // HEAD runs the handler of GET; what a parameter is called does not matter.
  assert.equal(modeOf({ method: 'HEAD', route: '/transfers/:id', path }), 'open')
  assert.equal(modeOf({ method: 'POST', route: '/transfers/{transfer}', path }), 'closed')
  assert.deepEqual(unmet(), ['/never'])
  assert.equal(routeModes('open', {}).modeOf, undefined)
  assert.equal(routeModes('dryRun', {}).modeOf, undefined)
  const off = routeModes('off', { '/a': 'closed' }).modeOf
  assert.equal(off?.({ method: 'GET', route: '/a', path: '/a' }), 'off')
})

test('ruling 1 a mode or route that cannot be is a start-up error that names it', () => {
  const wrong: [DeedboxOptions, Record<string, string>, string, RegExp][] = [
    [
      {},
      { DEEDBOX_AUDIT_MODE: 'closd' },
      'DEEDBOX_AUDIT_MODE',
      /"closd" is unknown. Use open, buffer, closed, off, dryRun/,
    ],
    [{ audit: { mode: 'strict' as never } }, {}, 'audit.mode', /"strict" is unknown/],
    [{ audit: { mode: 7 as never } }, {}, 'audit.mode', /a text is needed/],
    [
      { ledger, audit: { modes: { 'transfers/:id': 'closed' } } },
      {},
      'audit.modes',
      /"transfers\/:id" is no route/,
    ],
    [
      { ledger, audit: { modes: { '/a': 'dryRun' as never } } },
      {},
      'audit.modes',
      /\/a has a mode that is unknown/,
    ],
    [{ audit: { modes: { '/a': 'closed' } } }, {}, 'audit.modes', /closed needs a ledger/],
    [{ ledger: null, audit: { mode: 'closed' } }, {}, 'audit.mode', /closed needs a ledger/],
    [{}, { DEEDBOX_AUDIT_MODE: 'closed' }, 'DEEDBOX_AUDIT_MODE', /closed needs a ledger/],
    [{ audit: { mode: 'dryRun', modes: { '/a': 'closed' } } }, {}, 'audit.modes', /closed needs a ledger/],
    [{ audit: { holdTimeout: 0 } }, {}, 'audit.holdTimeout', /from 1 to 600000/],
  ]
  for (const [options, environment, setting, message] of wrong) {
    assert.throws(
      () => readSettings(options, environment),
      (error: unknown) =>
        error instanceof ConfigurationError && error.setting === setting && message.test(error.message),
      setting,
    )
  }
  assert.equal(readSettings({}, { DEEDBOX_AUDIT_MODE: 'buffer' }).audit.mode, 'buffer')
  assert.equal(readSettings({}, { DEEDBOX_AUDIT_MODE: '' }).audit.mode, 'open')
  const off = { modes: { '/a': 'closed' } } as const
  assert.equal(readSettings({ audit: off }, { DEEDBOX_AUDIT_MODE: 'off' }).audit.mode, 'off')
  assert.equal(readSettings({ audit: { mode: 'open' } }, { DEEDBOX_AUDIT_MODE: 'off' }).audit.mode, 'open')
})

test('X-11 IF-33 only the routes that ask for it wait; skipped paths and services without request events never do', async t => {
  const audit = { modes: { 'GET /transfers/:id': 'closed', '/metrics': 'off' }, holdTimeout: 30 } as const
  const service = await heldService(
    t,
    () => 'never',
    { ...audit, timeout: 50 },
    (request, response, box) => {
      if (request.url?.startsWith('/transfers/')) box.current()?.matched('/transfers/:id')
      response.end('ok')
    },
  )
  assert.match(await service.raw(get('/transfers/7', close)), /^HTTP\/1\.1 503 /)
  for (const path of ['/orders', '/metrics', '/health']) {
    assert.match(await service.raw(get(path, close)), /^HTTP\/1\.1 200 /)
  }
  assert.equal(service.held().waited, 1)
  service.ledger.follow(keepAll)
  const events = await service.events()
  assert.deepEqual(events.sort(), [
    ['http.GET./orders', 200],
    ['http.GET./transfers/:id', 503],
  ])
  const silent = await heldService(
    t,
    () => 'never',
    { mode: 'closed', requests: false },
    (_request, response) => response.end('ok'),
  )
  assert.match(await silent.raw(get('/a', close)), /^HTTP\/1\.1 200 /)
  assert.equal(silent.held().waited, 0)
  const skipping = await heldService(
    t,
    () => 'never',
    { mode: 'closed' },
    (_request, response) => response.end('ok'),
  )
  assert.match(await skipping.raw(get('/health', close)), /^HTTP\/1\.1 200 /)
})

test('X-11 a handler chooses for its request, before the response begins; later it only warns', async t => {
  const service = await heldService(
    t,
    () => 'cut',
    { holdTimeout: 30 },
    (request, response, box) => {
      const scope = box.current()
      if (request.url === '/wrong') assert.throws(() => scope?.audit('strict' as never), TypeError)
      if (request.url === '/closed') scope?.audit('closed')
      if (request.url === '/off') scope?.audit('off')
      response.write('ok')
      if (request.url === '/late') scope?.audit('closed')
      response.end()
    },
  )
  assert.match(await service.raw(get('/closed', close)), /^HTTP\/1\.1 503 /)
  for (const path of ['/off', '/late', '/wrong']) {
    assert.match(await service.raw(get(path, close)), /^HTTP\/1\.1 200 /)
  }
  assert.equal(noticesOf(service.lines, 'audit_mode_late').length, 1)
  assert.equal(service.held().waited, 1)
  service.ledger.follow(keepAll)
  const events = await service.events()
  assert.deepEqual(events.map(([name]) => name).sort(), [
    'http.GET./closed',
    'http.GET./late',
    'http.GET./wrong',
  ])
})

test('X-11 a handler that asks for closed without a ledger has its response withheld', async t => {
  const { box, lines } = aBox(t, { ledger: null })
  const { raw } = await serve(
    t,
    observe(box)((_request, response) => {
      box.current()?.audit('closed')
      response.end('ok')
    }),
  )
  assert.match(await raw(get('/a', close)), /^HTTP\/1\.1 503 /)
  await until(() => lines.some(line => line.type === 'audit'))
  assert.match(String(noticesOf(lines, 'audit_refused')[0]?.message), /no ledger is configured/)
  const [event] = lines.filter(line => line.type === 'audit')
  assert.match(JSON.stringify(event), /"status_code":503/)
})

test('IF-33 buffer: nothing leaves before the event is kept; what cannot be kept in time is counted and goes', async t => {
  const { script, answer } = waitingLedger()
  const service = await heldService(t, script, { mode: 'buffer' }, (_request, response) => response.end('ok'))
  const { write, received, isClosed } = client(t, service.port)
  write(get('/a', close))
  await until(() => service.ledger.calls.length === 1)
  assert.equal(received(), '')
  answer()
  await until(isClosed)
  assert.match(received(), /^HTTP\/1\.1 200 /)
  assert.deepEqual(service.held(), { waited: 1, refused: 0, unkept: 0 })

  const down = await heldService(
    t,
    () => 'cut',
    { mode: 'buffer', holdTimeout: 30, capacity: 2 },
    (_request, response) => response.end('ok'),
  )
  for (let n = 0; n < 4; n++) assert.match(await down.raw(get('/a', close)), /^HTTP\/1\.1 200 /)
  assert.deepEqual(down.held(), { waited: 4, refused: 0, unkept: 4 })
  assert.equal(noticesOf(down.lines, 'audit_unkept').length, 1)
  down.ledger.follow(keepAll)
  // What waited in memory arrives all the same, once; what found the queue full is counted.
  const arrived = await down.events()
  const { delivered, dropped } = down.box.stats().audit
  assert.deepEqual([arrived.length, delivered + dropped], [delivered, 4])
})

test('IF-35 an event that cannot be made: buffer lets the response go, closed withholds it', async t => {
  const kind = (): never => {
    throw new Error('kind is broken')
  }
  const modes = { '/a': 'buffer', '/b': 'closed' } as const
  const service = await heldService(t, keepAll, { modes, kind }, (_request, response) => response.end('ok'))
  assert.match(await service.raw(get('/a', close)), /^HTTP\/1\.1 200 /)
  assert.match(await service.raw(get('/b', close)), /^HTTP\/1\.1 503 /)
})

test('X-11 dryRun: everything is made and told, nothing leaves', async t => {
  const ledgerServer = await aLedger(t, keepAll)
  const { box, lines } = aBox(t, {
    ledger: { url: ledgerServer.url, apiKey: 'key' },
    audit: { mode: 'dryRun' },
  })
  const acknowledgement = await box.send(
    'invoice.sent',
    { password: 'hunter22', id: 7 },
    { idempotencyKey: 'k-1' },
  )
  assert.deepEqual(
    [acknowledgement.status, acknowledgement.txId, acknowledgement.idempotencyKey],
    ['dry_run', null, 'k-1'],
  )
  await assert.rejects(box.send('', {}), SendError)
  await assert.rejects(box.send('big', { text: 'x'.repeat(70_000) }), SendError)
  await box.run({ name: 'nightly' }, () => box.event('nightly.done'))
  await box.flush()
  const events = lines.filter(line => line.type === 'audit')
  assert.deepEqual(
    events.map(({ event_name, dry_run }) => [event_name, dry_run]),
    [
      ['invoice.sent', true],
      ['nightly.done', true],
    ],
  )
  assert.doesNotMatch(JSON.stringify(events), /hunter22/)
  assert.equal(box.stats().audit.logged, 2)
  assert.equal(ledgerServer.calls.length, 0)
})

test('X-11 off: no event is made, whatever the routes say, and send says so', async t => {
  const service = await heldService(
    t,
    keepAll,
    { mode: 'off', modes: { '/a': 'closed' } },
    (_request, response, box) => {
      box.current()?.audit('closed')
      response.end('ok')
    },
  )
  assert.match(await service.raw(get('/a', close)), /^HTTP\/1\.1 200 /)
  const acknowledgement = await service.box.send('invoice.sent', { id: 7 })
  assert.deepEqual([acknowledgement.status, acknowledgement.txId], ['off', null])
  await service.box.run({ name: 'nightly' }, () => service.box.event('nightly.done'))
  await service.box.flush()
  assert.equal(service.ledger.calls.length, 0)
  assert.deepEqual(
    service.lines.filter(line => line.type === 'audit' || 'notice' in line),
    [],
  )
  const { queued, delivered, dropped, logged } = service.box.stats().audit
  assert.deepEqual([queued, delivered, dropped, logged], [0, 0, 0, 0])
})

test('X-11 an instance that sends nothing still says that its ledger could not be opened, and lives', async t => {
  const failing = Promise.reject(new Error('the file is locked'))
  const { lines } = aBox(t, { ledger: failing as never, audit: { mode: 'dryRun' } })
  await until(() => noticesOf(lines, 'ledger_not_opened').length === 1)
})

test('X-11 a closed instance refuses what it can no longer record', async t => {
  const service = await heldService(t, keepAll, { mode: 'closed' }, (_request, response) =>
    response.end('ok'),
  )
  await service.box.close()
  assert.match(await service.raw(get('/a', close)), /^HTTP\/1\.1 503 /)
})

test('X-11 a route of modes that no request met is named once at the end, and only where requests were', async t => {
  const ledger = await aLedger(t, keepAll)
  const remote = { url: ledger.url, apiKey: 'k' }
  const modes = { 'POST /transfer/:id': 'closed', 'GET /a': 'buffer' } as const
  const { box, lines } = aBox(t, { ledger: remote, audit: { modes } })
  const server = createServer(observe(box)((_request, response) => response.end()))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  assert.equal((await fetch(`http://127.0.0.1:${port}/a`, { headers: { Connection: 'close' } })).status, 200)
  await box.close()
  assert.deepEqual(
    noticesOf(lines, 'audit_modes_unmet').map(({ routes }) => routes),
    [['POST /transfer/:id']],
  )
  const idle = aBox(t, { ledger: remote, audit: { modes } })
  await idle.box.close()
  assert.equal(noticesOf(idle.lines, 'audit_modes_unmet').length, 0)
})
