import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createRegistry } from '../checks/index.ts'
import { healthService } from '../testing/health-service.ts'
import { checkModules } from './check-modules.ts'
import { readHealth } from './health-options.ts'

function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-modules-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const files = {
  'package.json': '{ "type": "module" }',
  'checks/db.js': `export default function database() { return [{ message: 'slow', level: 'warning' }] }`,
  'checks.js':
    `export function queue() { return [] }\n` +
    `export const all = [{ name: 'one', run: () => [] }, { name: 'two', run: () => [], readiness: false }]\n`,
  'node_modules/shop-checks/package.json':
    '{ "name": "shop-checks", "type": "module", "exports": { ".": "./index.js" } }',
  'node_modules/shop-checks/index.js': `export default [function packaged() { return [] }]`,
  'wrong.js': 'export default 5',
  'throws.js': `throw new Error('no configuration')`,
  'hangs.js': 'await new Promise(() => { setInterval(() => {}, 100000).unref() })',
}

test('DF-29 modules by path, by export, by package', async t => {
  const registry = createRegistry()
  const load = checkModules(
    ['./checks/db.js', './checks.js#queue', './checks.js#all', 'shop-checks'],
    registry,
    folderOf(t, files),
  )
  assert.deepEqual(registry.names, [])
  await load(60_000)
  assert.deepEqual([...registry.names].sort(), ['database', 'one', 'packaged', 'queue', 'two'])
  assert.equal(load(60_000), undefined)
})

test('DF-29 all exports of a module without a default one', async t => {
  const registry = createRegistry()
  await checkModules(['./checks.js'], registry, folderOf(t, files))(60_000)
  assert.deepEqual([...registry.names].sort(), ['one', 'queue', 'two'])
})

test('DF-29 what cannot be imported is an ERROR of a check named after it; the others are there', async t => {
  const folder = folderOf(t, files)
  const wrong = ['./gone.js', './checks.js#gone', './wrong.js', './throws.js', 'no-such-package-here']
  const { ask, heartbeat } = await healthService(t, {
    checkModules: [
      ...wrong.map(each => (each.startsWith('.') ? join(folder, each) : each)),
      join(folder, 'checks/db.js'),
    ],
  })
  assert.equal((await ask('/__readiness__')).status, 500)
  const { checks, details } = await heartbeat()
  assert.equal(checks.database, 'warning')
  assert.equal(Object.values(checks).filter(status => status === 'error').length, wrong.length)
  const text = (name: string): string => details[join(folder, name)]?.messages['deedbox.health.E106'] ?? ''
  assert.match(text('./gone.js'), /cannot be had: Cannot find module/)
  assert.match(text('./checks.js#gone'), /It has no export "gone"\. It has: all, queue\.$/)
  assert.match(text('./throws.js'), /cannot be had: no configuration$/)
  assert.match(text('./wrong.js'), /a check is what check\(\) makes/)
})

test('DF-29 DF-13 a module that hangs holds up the first round alone, within the deadline', async t => {
  const hangs = join(folderOf(t, files), 'hangs.js')
  const { heartbeat } = await healthService(t, { checkModules: [hangs], deadline: 60, timeout: 50 })
  const { checks, details } = await heartbeat()
  assert.deepEqual(checks, { [hangs]: 'error' })
  assert.match(details[hangs]?.messages['deedbox.health.E106'] ?? '', /are still being imported\.$/)
})

test('DF-29 the list is the option, then DEEDBOX_CHECKS, then DOCKERFLOW_CHECKS', () => {
  const read = (environment: Record<string, string>, checkModules?: string[]): readonly string[] =>
    readHealth({ checkModules }, environment, 'production').checkModules
  assert.deepEqual(read({ DOCKERFLOW_CHECKS: './a.js , b,' }), ['./a.js', 'b'])
  assert.deepEqual(read({ DEEDBOX_CHECKS: './c.js', DOCKERFLOW_CHECKS: './a.js' }), ['./c.js'])
  assert.deepEqual(read({ DEEDBOX_CHECKS: './c.js' }, ['./d.js']), ['./d.js'])
  assert.deepEqual(read({}), [])
})
