import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { beginDraining, endDraining } from 'deedbox'
import { type CheckMessage, check, error, type HealthOptions, warning } from 'deedbox/health'
import { violations } from '../../packages/deedbox/src/testing/json-schema.ts'
import { mozlogSchema } from '../../packages/deedbox/src/testing/mozlog-schema.ts'
import { tempFolder } from '../../packages/ledger/src/testing/temp-ledger.ts'
import type { FrameworkHarness } from './harness.ts'
import { http2Call } from './http2-call.ts'
import {
  call,
  type Line,
  open,
  type RawAnswer,
  requestText,
  type Scene,
  type SceneOptions,
  setScene,
} from './stage.ts'

const version = { source: 'https://example.org/shop', version: '1.2.3', commit: 'abc', build: '' }
const token = 'token-of-the-operators'
const authorised = { headers: [`authorization: Bearer ${token}`] }
const paths = ['/__version__', '/__lbheartbeat__', '/__heartbeat__', '/__readiness__']

/** What the checks find, and how often they were asked. */
interface Probed {
  messages: CheckMessage[]
  rounds: number
  /** What a round waits for. */
  held: Promise<void> | undefined
}

/** A service with two checks, of which the service can do without one. */
async function probed(
  t: TestContext,
  harness: FrameworkHarness,
  { first, box, ...options }: HealthOptions & { first: boolean; box?: SceneOptions['box'] },
): Promise<{ scene: Scene; found: Probed; folder: string }> {
  const found: Probed = { messages: [], rounds: 0, held: undefined }
  const folder = tempFolder(t)
  writeFileSync(join(folder, 'version.json'), JSON.stringify(version))
  const health: HealthOptions = {
    checks: [
      check('check_database_connected', async () => {
        found.rounds++
        await found.held
        return found.messages.filter(({ id }) => id !== 'acme.mail')
      }),
      check('mail', () => found.messages.filter(({ id }) => id === 'acme.mail'), { readiness: false }),
    ],
    details: 'authorised',
    token,
    ownChecks: false,
    cache: 0,
    versionPath: folder,
    error: 'authorised',
    failedStatus: 503,
    ...options,
  }
  const scene = await setScene(t, harness, { health: { options: health, first }, ...(box && { box }) })
  return { scene, found, folder }
}

/** Dockerflow's endpoints: the same on every framework. */
export function healthSuite(harness: FrameworkHarness): void {
  const { name } = harness

  test(`DF-01 DF-02 DF-06 DF-12 X-10 ruling 28 DF-66 DF-67 DF-68 DF-69 ${name}: the endpoints, their methods and headers, ahead of what asks who it is`, async t => {
    const { scene, found, folder } = await probed(t, harness, { first: true })
    const bodies = [
      JSON.stringify(version),
      '',
      '{"status":"ok","checks":{"check_database_connected":"ok","mail":"ok"}}',
      '{"status":"ok","checks":{"check_database_connected":"ok"}}',
    ]
    for (const [at, path] of paths.entries()) {
      const answer = await call(scene, 'GET', path)
      assert.deepEqual([path, answer.status, answer.body], [path, 200, bodies[at]])
      const type = path === '/__lbheartbeat__' ? 'text/plain; charset=utf-8' : 'application/json'
      assert.deepEqual(headersOf(answer), always(type, answer.body), path)
      const head = await call(scene, 'HEAD', path)
      assert.deepEqual([head.status, head.body, headersOf(head)], [200, '', headersOf(answer)], path)
      for (const other of [`${path}/`, `${path}?a=1`, `${path}/?a=/b/`])
        assert.deepEqual(parts(await call(scene, 'GET', other)), parts(answer), other)
      for (const closed of ['login', 'https'])
        assert.deepEqual(
          parts(await call(scene, 'GET', path, { headers: [`x-gate: ${closed}`] })),
          parts(answer),
        )
    }
    for (const path of paths) {
      const options = await call(scene, 'OPTIONS', path)
      assert.deepEqual([options.status, options.body], [200, ''], path)
      assert.equal(options.headers.allow, 'GET, HEAD, OPTIONS')
      assert.equal(options.headers['cache-control'], 'no-store')
    }
    const rounds = found.rounds
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const refused = await call(scene, method, '/__heartbeat__', { body: '{' })
      assert.deepEqual([refused.status, refused.headers.allow], [405, 'GET, HEAD, OPTIONS'], method)
      assert.deepEqual(headersOf(refused), always('text/plain; charset=utf-8', 'Method Not Allowed'))
    }
    for (let n = 0; n < 3; n++) await call(scene, 'GET', '/__lbheartbeat__')
    assert.equal(found.rounds, rounds, 'neither runs a check')

    assert.equal((await call(scene, 'GET', '/__nothing__')).status, 404)
    assert.equal((await call(scene, 'GET', '/api/__heartbeat__')).status, 404)
    assert.equal((await call(scene, 'GET', '/ok')).status, 200)
    const gated = ['login', 'https'].map(closed =>
      call(scene, 'GET', '/ok', { headers: [`x-gate: ${closed}`] }),
    )
    assert.deepEqual(
      (await Promise.all(gated)).map(({ status }) => status),
      [401, 308],
    )

    writeFileSync(join(folder, 'version.json'), '{"source":')
    const malformed = await call(scene, 'GET', '/__version__')
    assert.equal(malformed.status, 500)
    const { error: problem } = JSON.parse(malformed.body) as { error: string }
    assert.match(problem, /^version\.json is no JSON/)
    await call(scene, 'GET', '/__version__')
    assert.equal(scene.lines.filter(({ message }) => message === problem).length, 1)
    rmSync(join(folder, 'version.json'))
    const missing = await call(scene, 'GET', '/__version__')
    assert.deepEqual(parts(missing), [404, 'text/plain; charset=utf-8', 'version.json not found'])
  })

  test(`DF-07 DF-08 DF-09 DF-10 DF-42 X-10 X-18 ruling 28 ${name}: what checks find, three views of it, who sees it, and the lines`, async t => {
    const { scene, found } = await probed(t, harness, { first: false })
    const ask = async (path: string, options = {}): Promise<[number, unknown]> => {
      const { status, body } = await call(scene, 'GET', path, options)
      return [status, JSON.parse(body)]
    }
    await call(scene, 'GET', '/__lbheartbeat__', { id: 'alive' })
    found.messages = [warning('The disk is filling up.', { id: 'acme.disk' })]
    const checks = { check_database_connected: 'warning', mail: 'ok' }
    assert.deepEqual(await ask('/__heartbeat__', { id: 'well' }), [200, { status: 'warning', checks }])

    found.messages = [error('Nobody answers.', { id: 'acme.mail' })]
    const failing = { check_database_connected: 'ok', mail: 'error' }
    const details = { mail: { status: 'error', level: 40, messages: { 'acme.mail': 'Nobody answers.' } } }
    const anonymous = { status: 'error', checks: failing }
    assert.deepEqual(await ask('/__heartbeat__', { id: 'failing' }), [503, anonymous])
    for (const wrong of [`Bearer ${token}x`, 'Bearer', `Basic ${token}`])
      assert.deepEqual(await ask('/__heartbeat__', { headers: [`authorization: ${wrong}`] }), [
        503,
        anonymous,
      ])
    const whole = await call(scene, 'GET', '/__heartbeat__', authorised)
    assert.equal(whole.body, JSON.stringify({ ...anonymous, details }))
    const ready = { status: 'ok', checks: { check_database_connected: 'ok' } }
    assert.deepEqual(await ask('/__readiness__'), [200, ready])

    found.messages = [error('The connection was refused.', { id: 'acme.database' })]
    assert.equal((await ask('/__readiness__'))[0], 503)
    assert.equal((await call(scene, 'GET', '/__lbheartbeat__')).status, 200)

    found.messages = []
    t.after(endDraining)
    beginDraining()
    const draining = await Promise.all(
      ['/__heartbeat__', '/__readiness__', '/__lbheartbeat__'].map(path => call(scene, 'GET', path)),
    )
    endDraining()
    assert.deepEqual(
      draining.map(({ status }) => status),
      [503, 503, 200],
    )

    // A client that leaves before its answer is there breaks nothing.
    const held = Promise.withResolvers<void>()
    found.held = held.promise
    const { rounds } = found
    const socket = await open(scene)
    socket.write(requestText('GET', '/__heartbeat__', 'leaver', []))
    while (found.rounds === rounds) await new Promise(setImmediate)
    socket.destroy()
    assert.equal((await scene.record('leaver')).status, 499)
    held.resolve()
    assert.equal((await call(scene, 'GET', '/__heartbeat__')).status, 200)

    const failed = await scene.record('failing')
    assert.deepEqual([failed.status, failed.route], [503, '/__heartbeat__'])
    const [line, ...more] = scene.requestLines('failing')
    assert.deepEqual([line?.level, line?.status_code, more], ['ERROR', 503, []])
    await call(scene, 'GET', '/ok', { id: 'last' })
    await scene.record('last')
    assert.deepEqual([scene.requestLines('alive'), scene.requestLines('well')], [[], []])
  })

  test(`DF-11 DF-33 DF-42 DF-47 X-10 ${name}: without a skip list each endpoint has its lines, all within the schema of mozlog, and __error__ raises`, async t => {
    const { scene, found } = await probed(t, harness, {
      first: true,
      box: { skipPaths: [], log: { format: 'mozlog' } },
    })
    for (const path of paths) await call(scene, 'GET', path, { id: path })
    found.messages = [error('The connection was refused.', { id: 'acme.database', hint: 'Start it.' })]
    await call(scene, 'GET', '/__heartbeat__', { id: 'failing' })
    assert.equal((await call(scene, 'GET', '/__error__', { id: 'anonymous' })).status, 404)
    for (const method of ['OPTIONS', 'POST'])
      assert.equal((await call(scene, method, '/__error__')).status, 404, method)
    const raised = await call(scene, 'GET', '/__error__', { id: 'raised', ...authorised })
    const again = await call(scene, 'GET', '/__error__', authorised)
    assert.equal(again.status, 429)
    assert.match(again.headers['retry-after'] ?? '', /^([1-9]|10)$/)
    const { error: thrown, route } = await scene.record('raised')
    assert.match(String(thrown?.thrown), /^Error: The __error__ endpoint was called/)
    assert.deepEqual([raised.status, route], [500, '/__error__'])
    assert.deepEqual([raised.headers['cache-control'], raised.headers.vary], ['no-store', 'Accept-Encoding'])
    const usual = await call(scene, 'GET', '/throw', { id: 'usual' })
    // Next leads nobody to what answers errors.
    if (harness.answersInPlace !== false)
      assert.equal(raised.headers['content-type'], usual.headers['content-type'])
    await scene.record('usual')
    await scene.box.flush()

    for (const line of scene.lines) assert.deepEqual(violations(line, mozlogSchema), [], JSON.stringify(line))
    const fieldsOf = (line: Line): Line => line.Fields as Line
    const summaries = scene.lines.filter(({ Type }) => Type === 'request.summary').map(fieldsOf)
    const told = [...paths, 'failing', 'anonymous', 'raised'].map(id => {
      const [summary, ...more] = summaries.filter(({ rid }) => rid === id)
      assert.deepEqual(more, [], id)
      return [id, summary?.errno, summary?.code, summary?.route]
    })
    assert.deepEqual(told, [
      ...paths.map(path => [path, 0, 200, path]),
      ['failing', 503, 503, '/__heartbeat__'],
      ['anonymous', 404, 404, '/__error__'],
      ['raised', 500, 500, '/__error__'],
    ])
    const called = scene.lines.filter(
      line => fieldsOf(line).msg === 'The __error__ endpoint was called' && line.Type !== 'request.summary',
    )
    assert.deepEqual(
      called.map(line => [line.Severity, fieldsOf(line).rid]),
      [[3, 'raised']],
    )
    const checked = scene.lines.find(
      line => fieldsOf(line).msg === 'acme.database: The connection was refused.',
    )
    assert.deepEqual([checked?.Type, checked?.Severity], ['dockerflow.checks.registry', 3])
  })

  test(`gap 13 X-10 ${name}: metrics stand beside them, for who may see them`, async t => {
    const metrics = {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      render: async () => 'up 1\n',
      allows: (authorization: string | undefined) => authorization === `Bearer ${token}`,
    }
    const { scene } = await probed(t, harness, { first: true, metrics })
    assert.equal((await call(scene, 'GET', '/metrics')).status, 401)
    for (const path of ['/metrics', '/metrics/']) {
      const answer = await call(scene, 'GET', path, authorised)
      assert.deepEqual(parts(answer), [200, metrics.contentType, 'up 1\n'])
    }
    assert.equal((await call(scene, 'HEAD', '/metrics', authorised)).body, '')
    assert.equal((await call(scene, 'POST', '/metrics', authorised)).status, 405)
    assert.equal((await call(scene, 'GET', '/metricsandmore', authorised)).status, 404)
  })

  if (!harness.http2) return
  test(`DF-01 DF-06 DF-07 ${name}: the endpoints over HTTP/2`, async t => {
    const asked = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    let isHeld = false
    const one = check('one', async () => {
      if (!isHeld) return []
      asked.resolve()
      await held.promise
    })
    const options = { checks: [one], cache: 0, ownChecks: false, version: () => version }
    const scene = await setScene(t, harness, { http2: true, health: { options, first: true } })
    const ask = http2Call(t, scene.service.port)
    const answers = await Promise.all(paths.map(path => ask(path, path)))
    const report = '{"status":"ok","checks":{"one":"ok"}}'
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body]),
      [JSON.stringify(version), '', report, report].map(body => [200, body]),
    )
    assert.equal(answers[1]?.headers['content-length'], '0')
    isHeld = true
    await ask('/__heartbeat__', 'leaver', asked.promise)
    assert.equal((await scene.record('leaver')).status, 499)
    held.resolve()
    assert.equal((await ask('/__heartbeat__', 'next')).status, 200)
    assert.equal((await ask('/ok', 'ok')).status, 200)
  })
}

/** The headers that the endpoints set. */
function always(type: string, body: string): Record<string, string> {
  return {
    'cache-control': 'no-store',
    vary: 'Accept-Encoding',
    'x-content-type-options': 'nosniff',
    'content-type': type,
    'content-length': String(Buffer.byteLength(body)),
  }
}

function headersOf({ headers }: RawAnswer): Record<string, string | undefined> {
  return Object.fromEntries(Object.keys(always('', '')).map(name => [name, headers[name]]))
}

function parts({ status, headers, body }: RawAnswer): unknown[] {
  return [status, headers['content-type'], body]
}
