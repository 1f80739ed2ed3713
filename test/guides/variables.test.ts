import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, onFreePort, Page } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/variables.md')
const server = page.fence('// server.ts')
const typed = page.fence('// typed.ts')
const frameworks = page.fence('// frameworks.ts')
const raise = page.fence('// raise.ts')
const commands = page.fence('npx deedbox chest show')
const shown = page.fence('REQUEST ID')
const answer = page.fence('tracking_failed')

/** What `deedbox chest show` says of the file in a folder. */
async function show(cwd: string, ...options: string[]): Promise<string> {
  const program = `${import.meta.dirname}/../../packages/deedbox/bin/deedbox.js`
  const { code, stdout, stderr } = await run(
    process.execPath,
    [program, 'chest', 'show', 'sqlite:vars.db', ...options],
    { env: cleanEnv(), cwd },
  )
  assert.equal(code, 0, stderr)
  return stdout
}

/** The columns of a table, the times all the same. */
function cells(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map(line => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?/, '<time>').split(/ {2,}/))
}

test('samples 43, 45 and 46, FC-01 FC-03 FC-04, guide, variables: what is set is what the command shows', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'server.ts': onFreePort(server) })
  const service = await startService(t, folder.runnable('server.ts'))
  assert(commands.includes("-H 'X-Request-Id: r-1' localhost:8080/checkout"))
  await service.call('POST', '/checkout', { headers: { 'x-request-id': 'r-1' } })
  await service.call('GET', '/reports', { headers: { 'x-request-id': 'r-2' } })
  await service.call('POST', '/reports', { headers: { 'x-request-id': 'r-3' } })
  await service.call('PUT', '/reports', { headers: { 'x-request-id': 'r-4' } })
  assert.equal(await service.stop(), 'SIGTERM')
  const table = cells(await show(folder.path))
  const expected = cells(shown)
  assert.deepEqual(table.slice(0, expected.length), expected)
  assert.deepEqual((await show(folder.path, '--json', '--request-id', 'r-3')).trimEnd().split('\n').length, 1)
  page.says('HEAD is not GET')
  assert.equal(await show(folder.path, '--json', '--request-id', 'r-4'), '')
})

test('FC-13 FC-14, guide, variables: names are typed; each framework takes it', async t => {
  const folder = await snippetFolder(t, 'fastify-5', { 'typed.ts': typed, 'frameworks.ts': frameworks })
  for (const name of ['typed.ts', 'frameworks.ts']) {
    const { code, stderr } = await run(process.execPath, [folder.runnable(name)], { env: cleanEnv() })
    assert.equal(code, 0, stderr)
  }
})

test('samples 47, 48 and 51, FC-11 FC-12, guide, variables: with raise the client gets 500, and the other chest is written', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'raise.ts': onFreePort(raise) })
  const service = await startService(t, folder.runnable('raise.ts'))
  const { status, body } = await service.call('POST', '/pay', { headers: { 'x-request-id': 'r-3' } })
  assert.deepEqual([status, body], [500, answer.trimEnd()])
  const [entry] = (await show(folder.path, '--json')).trimEnd().split('\n')
  assert.deepEqual(
    [JSON.parse(entry ?? '').name, JSON.parse(entry ?? '').value, JSON.parse(entry ?? '').request_id],
    ['total', 12.5, 'r-3'],
  )
  // Else it would wait for the other chest.
  await service.stop('SIGKILL')
})

everyBlockIsTested(page)
