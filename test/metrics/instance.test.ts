import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Deedbox, deedbox } from 'deedbox'
import { jsonLines } from 'deedbox/chests'
import { health } from 'deedbox/express'
import { check, error, warning } from 'deedbox/health'
import { type Metrics, type MetricsOptions, metrics } from 'deedbox/metrics'
import express from 'express'
import { Counter, Registry, register } from 'prom-client'
import { run, tempFolder } from '../end-to-end/ledger-process.ts'
import { readExposition } from './exposition.ts'
import { measuredService } from './measured-service.ts'

const token = 'a-token-of-the-operator'

function served(options: Parameters<typeof health>[1] = {}) {
  return (box: Deedbox, measured: Metrics): express.Express => {
    const app = express()
    app.use(health(box, { ownChecks: false, metrics: measured, ...options }))
    return app
  }
}

test('DF-01 DF-12 health() serves the metrics under /metrics as it serves its other endpoints', async t => {
  const { url, ask } = await measuredService(t, served())
  const answer = await fetch(`${url}/metrics`)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.equal(answer.headers.get('vary'), 'Accept-Encoding')
  readExposition(await answer.text())
  assert.equal(await ask('HEAD', '/metrics'), 200)
  assert.equal(await ask('GET', '/metrics/?x=1'), 200)
  assert.equal(await ask('OPTIONS', '/metrics'), 200)
  assert.equal(await ask('POST', '/metrics'), 405)
  assert.equal(await ask('GET', '/metricsandmore'), 404)
})

test('without the option there is no /metrics', async t => {
  const { ask } = await measuredService(t, served({ metrics: undefined }))
  assert.equal(await ask('GET', '/metrics'), 404)
})

test('gap 13 with a token only who sends it sees the metrics', async t => {
  const { url } = await measuredService(t, served(), { metrics: { token } })
  const asked = (authorization?: string) =>
    fetch(`${url}/metrics`, authorization === undefined ? {} : { headers: { authorization } })
  const refused = await asked()
  assert.equal(refused.status, 401)
  assert.equal(refused.headers.get('www-authenticate'), 'Bearer')
  assert(!(await refused.text()).includes('deedbox_'))
  assert.equal((await asked('Bearer another-token')).status, 401)
  assert.equal((await asked(`Bearer ${token}`)).status, 200)
})

test('X-11 metrics that cannot be made are a 500 and one line, and no end of the service', async t => {
  const { url, lines, metrics: measured } = await measuredService(t, served())
  new Counter({
    name: 'broken_total',
    help: 'x',
    registers: [measured.registry as Registry],
    collect() {
      throw new Error('on purpose')
    },
  })
  assert.equal((await fetch(`${url}/metrics`)).status, 500)
  assert.equal(lines.filter(line => line.includes('The metrics could not be made')).length, 1)
  assert.equal((await fetch(`${url}/__lbheartbeat__`)).status, 200)
})

test('gap 12 the outbox, the log and each chest are read when they are asked for', async t => {
  const chest = jsonLines(`${tempFolder(t)}/values.jsonl`)
  const { box, read, ask } = await measuredService(
    t,
    own => {
      const app = express()
      app.get('/set', (_request, response) => void response.end())
      return (incoming, response) =>
        own.run({ name: 'job' }, () => {
          own.set({ user_id: 'u_1' })
          app(incoming, response)
        })
    },
    {
      box: {
        chests: [chest],
        ledger: { url: 'http://127.0.0.1:9', apiKey: 'k' },
        audit: { durability: 'memory' },
      },
    },
  )
  await ask('GET', '/set')
  const sent = box.send('order.paid', { id: 1 }, { timeout: 1 })
  await assert.rejects(sent)
  await box.flush(500)
  const got = await read(0)
  assert.equal(got.value('deedbox_chest_delivered_total', { chest: chest.id }), 1)
  assert.equal(got.value('deedbox_chest_queued', { chest: chest.id }), 0)
  assert.equal(got.value('deedbox_outbox_dropped_total'), box.stats().audit.dropped)
  assert.equal(got.value('deedbox_outbox_dropped_total'), 1)
  assert.equal(got.value('deedbox_outbox_paused'), 0)
  assert.equal(got.families.get('deedbox_outbox_queued')?.type, 'gauge')
  assert.equal(got.value('deedbox_log_lines_lost_total'), 0)
  assert(got.value('deedbox_log_lines_written_total') > 0)
})

test('the levels are those of the last round of checks, whoever asked for it', async t => {
  let isFailing = true
  const { url, read } = await measuredService(
    t,
    served({
      cache: 0,
      checks: [
        check('database', () => (isFailing ? [error('gone')] : [])),
        check('mail', () => [warning('slow')]),
      ],
    }),
  )
  const levels = async (): Promise<unknown> => {
    const got = await read(0)
    return got.samples
      .filter(({ name }) => name === 'deedbox_check_level')
      .map(({ labels, value }) => [labels.check, value])
  }
  assert.deepEqual(await levels(), [], 'before the first round nothing is known')
  await (await fetch(`${url}/__heartbeat__`)).text()
  assert.deepEqual(await levels(), [
    ['database', 40],
    ['mail', 30],
  ])
  assert.equal((await read(0)).value('deedbox_heartbeat_level'), 40)
  isFailing = false
  await (await fetch(`${url}/__readiness__`)).text()
  assert.deepEqual(await levels(), [
    ['database', 0],
    ['mail', 30],
  ])
  assert((await read(0)).value('deedbox_heartbeat_timestamp_seconds') > 1e9)
})

test('DF-05 the build is told as labels', async t => {
  const version = { version: '1.4.0', commit: 'c0ffee', source: 'https://example.com/shop', build: '' }
  const { read } = await measuredService(t, served(), { metrics: { version }, box: { env: 'staging' } })
  const [info] = (await read(0)).samples.filter(({ name }) => name === 'deedbox_build_info')
  assert.deepEqual(info, {
    name: 'deedbox_build_info',
    labels: { service: 'shop', env: 'staging', version: '1.4.0', commit: 'c0ffee' },
    value: 1,
  })
})

test('X-17 two instances have registries of their own; one registry takes one of them', async t => {
  const first = deedbox({ service: 'a', ledger: null, log: { sink: () => undefined } })
  const second = deedbox({ service: 'b', ledger: null, log: { sink: () => undefined } })
  t.after(() => Promise.all([first.close(), second.close()]))
  const registry = new Registry()
  const a = metrics(first, { registry })
  assert.equal(a.registry, registry)
  assert(!(await a.render()).includes('process_cpu'), 'a registry that is given may have them already')
  assert.throws(() => metrics(second, { registry }), {
    code: 'invalid_configuration',
    message: /already been registered/,
  })
  assert.notEqual(metrics(second).registry, registry)
  assert.deepEqual(await register.getMetricsAsJSON(), [], 'the one of the package is left alone')
})

test('X-17 metrics that cannot be made leave the registry as it was', async t => {
  const box = deedbox({ service: 'a', ledger: null, log: { sink: () => undefined } })
  t.after(() => box.close())
  for (const taken of ['http_response_size_bytes', 'deedbox_heartbeat_level', 'process_start_time_seconds']) {
    const registry = new Registry()
    const own = new Counter({ name: taken, help: 'x', registers: [registry] })
    assert.throws(() => metrics(box, { registry, processMetrics: true }), {
      message: /already been registered/,
    })
    assert.deepEqual(registry.getMetricsAsArray(), [own])
    registry.clear()
    metrics(box, { registry })
  }
})

test('an option that is wrong is named', async t => {
  const box = deedbox({ service: 'a', ledger: null, log: { sink: () => undefined } })
  t.after(() => box.close())
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ maxRoute: 3 }, /maxRoute/],
    [{ maxRoutes: -1 }, /maxRoutes/],
    [{ buckets: [1, 1] }, /buckets/],
    [{ buckets: [] }, /buckets/],
    [{ token: 'short' }, /token/],
    [{ registry: {} }, /registry/],
    [{ processMetrics: 'yes' }, /processMetrics/],
    [{ version: '1' }, /version/],
  ]
  for (const [options, message] of wrong) assert.throws(() => metrics(box, options), { message })
  assert.throws(() => health(box, { metrics: {} as never }), { message: /metrics/ })
})

test('without prom-client the start says what to install', async () => {
  const hooks =
    "import { registerHooks } from 'node:module'\n" +
    "registerHooks({ resolve(name, context, next) { if (name === 'prom-client') { const e = new Error('Cannot find module'); " +
    "e.code = 'MODULE_NOT_FOUND'; throw e } return next(name, context) } })"
  const program =
    "import { deedbox } from 'deedbox'\nimport { metrics } from 'deedbox/metrics'\n" +
    "try { metrics(deedbox({ service: 'a', ledger: null })) } catch (error) { process.stdout.write(error.message) }"
  const { stdout, stderr } = await run(process.execPath, [
    '--conditions=@deedbox/source',
    '--import',
    `data:text/javascript,${encodeURIComponent(hooks)}`,
    '--input-type=module',
    '--eval',
    program,
  ])
  assert.match(stdout, /prom-client could not be loaded; run: npm i prom-client/, stderr)
})

test('DF-02 what version.json says is in deedbox_build_info, once it is there, and what metrics() was given before it', async t => {
  const versionPath = tempFolder(t)
  const of = async (
    options: MetricsOptions,
  ): Promise<() => Promise<Readonly<Record<string, string>> | undefined>> => {
    const { read } = await measuredService(t, served({ versionPath }), { metrics: options })
    return async () => (await read(0)).samples.find(({ name }) => name === 'deedbox_build_info')?.labels
  }
  const [found, given] = [await of({}), await of({ version: { version: 'mine' } })]
  assert.partialDeepStrictEqual(await found(), { version: '', commit: '' })
  writeFileSync(join(versionPath, 'version.json'), '{"version":"v1.4.0","commit":"52ce614"}')
  assert.partialDeepStrictEqual(await found(), { version: 'v1.4.0', commit: '52ce614' })
  assert.partialDeepStrictEqual(await given(), { version: 'mine', commit: '' })
})
