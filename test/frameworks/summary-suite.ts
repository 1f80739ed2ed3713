import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FrameworkHarness } from './harness.ts'
import { call, setScene } from './stage.ts'

/** The same record as a `request.summary` of mozlog. */
export function summarySuite(harness: FrameworkHarness): void {
  const { name } = harness

  test(`DF-33 DF-34 DF-35 DF-36 DF-39 DF-41 DF-42 DF-43 ${name}: the request.summary of each request`, async t => {
    const scene = await setScene(t, harness, { box: { log: { format: 'mozlog', summaryQuery: true } } })
    await call(scene, 'GET', '/named/5?q=%C3%BC', {
      id: 'summary',
      headers: ['user-agent: agent/1', 'accept-language: de', 'x-user: u_5'],
    })
    const thrown = await call(scene, 'GET', '/throw')
    const missing = await call(scene, 'GET', '/nowhere')
    await call(scene, 'GET', '/health')
    await scene.record(missing.id)
    await scene.box.flush()
    const summaries = scene.lines.filter(line => line.Type === 'request.summary')
    const fields = summaries.map(line => line.Fields as Record<string, unknown>)
    assert.deepEqual(
      summaries.map(line => [line.Severity, (line.Fields as Record<string, unknown>).rid]),
      [
        [6, 'summary'],
        [3, thrown.id],
        [6, missing.id],
      ],
    )
    const { t: milliseconds, route, ...rest } = fields[0] ?? {}
    assert(Number.isInteger(milliseconds))
    assert.equal(route, harness.knowsRoutes ? (harness.template?.('/named/:n') ?? '/named/:n') : undefined)
    assert.deepEqual(rest, {
      rid: 'summary',
      errno: 0,
      code: 200,
      agent: 'agent/1',
      lang: 'de',
      method: 'GET',
      path: '/named/5',
      querystring: 'q=ü',
      uid: 'u_5',
      remoteAddressChain: ['127.0.0.1'],
    })
    assert.deepEqual([fields[1]?.errno, fields[1]?.code, fields[1]?.msg], [500, 500, 'sync failure'])
    assert.match(String(fields[1]?.traceback), /^Uncaught exception:/)
    assert.deepEqual([fields[2]?.errno, fields[2]?.code], [404, 404])
    assert.deepEqual(
      scene.lines
        .filter(line => (line.Fields as Record<string, unknown>).msg === 'in 5')
        .map(line => (line.Fields as Record<string, unknown>).rid),
      ['summary'],
    )
  })
}
