import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { root, run } from '../end-to-end/ledger-process.ts'
import { readExposition } from '../metrics/exposition.ts'
import { everyBlockIsTested, onFreePort, Page } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/metrics.md')
const server = onFreePort(page.fence('// server.ts'))
const shown = page.fence('# HELP http_request')
const options = page.fence('// continues server.ts')
const clustered = page.fence('// clustered.ts')
const yaml = [page.fence('# prometheus.yml'), page.fence('# rules.yml')]

/** The metrics of the page's tables, with their labels. */
function documented(): Map<string, string[]> {
  const rows = page.text.matchAll(/^\| `(\w+)` +\| ([^|]*)\|/gm)
  return new Map(
    [...rows].map(([, name = '', labels = '']) => [name, [...labels.matchAll(/`(\w+)`/g)].map(l => l[1]!)]),
  )
}

function isOurs(name: string): boolean {
  return /^(http|deedbox)_/.test(name)
}

test('guide, metrics: the first page serves what it shows, and the tables list all there is', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'server.ts': server })
  const service = await startService(t, folder.runnable('server.ts'), { conditions: ['@deedbox/source'] })
  await service.linesOf(await service.call('GET', '/orders/4711'))
  const { body, status } = await service.call('GET', '/metrics')
  assert.equal(status, 200)
  for (const line of shown.trimEnd().split('\n')) assert(body.split('\n').includes(line), line)
  readExposition(body)
  const ledger = await startTestServer(t)
  const { text } = await ledger.call('GET', '/metrics')
  const families = [...readExposition(body).families, ...readExposition(text).families]
  const exposed = new Set(families.map(([name]) => name).filter(isOurs))
  assert.deepEqual([...exposed].sort(), [...documented().keys()].sort())
})

test('guide, metrics: the labels are those of the tables', async t => {
  const ledger = await startTestServer(t)
  const event = { payload: '{}', meta: { type: 'info', event_name: 'x', service: 'shop' } }
  await ledger.call('POST', '/v1/events', { body: event })
  await ledger.call('POST', '/v1/events', { body: { ...event, payload: 1 } })
  const { text } = await ledger.call('GET', '/metrics')
  for (const { name, labels } of readExposition(text).samples.filter(sample => isOurs(sample.name))) {
    const known = documented().get(name) ?? documented().get(name.replace(/_(bucket|sum|count)$/, ''))
    assert.deepEqual(
      Object.keys(labels)
        .filter(label => label !== 'le')
        .sort(),
      known?.toSorted(),
      name,
    )
  }
})

test('guide, metrics: the options are taken, and a metric of the service stands beside ours', async t => {
  const folder = await snippetFolder(t, 'express-5', {
    'server.ts': `${server}\n${options}\nprocess.exit()\n`,
  })
  const version = { version: '1.4.0', commit: 'c0ffee' }
  writeFileSync(join(folder.path, 'version.json'), JSON.stringify(version))
  const { stdout, stderr } = await run(
    process.execPath,
    ['--conditions=@deedbox/source', folder.runnable('server.ts')],
    { cwd: folder.path, env: cleanEnv() },
  )
  const read = readExposition(stdout.slice(stdout.indexOf('# HELP')).replace(/\n\n$/, '\n'))
  assert.equal(read.value('shop_orders_paid_total'), 1, stderr)
  assert.equal(read.value('deedbox_build_info', version), 1)
})

test('guide, metrics: the rules ask for metrics that there are', () => {
  const named = yaml.join('').match(/\b(http|deedbox)_\w+/g) ?? []
  const known = documented()
  for (const name of named) {
    const of = name.replace(/_(bucket|sum|count)$/, '')
    assert(known.has(name) || known.has(of), `${name} is in no table`)
  }
  assert(named.length >= 9)
})

test('guide, metrics: a cluster is made as in the test that runs one', async t => {
  await snippetFolder(t, 'express-5', { 'clustered.ts': clustered })
  const ran = readFileSync(join(root, 'test', 'metrics', 'clustered-service.ts'), 'utf8')
  for (const part of ['new AggregatorRegistry()', 'clusterMetrics()', 'metrics(box, { registry: register })'])
    assert(clustered.includes(part) && ran.includes(part), part)
})

everyBlockIsTested(page)
