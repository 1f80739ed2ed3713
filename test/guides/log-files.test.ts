import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page, replaceOnce } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/log-files.md')
const file = page.fence('// log.ts')
const cluster = page.fence('// cluster.ts')
const lines = page.fence('// function.ts')

interface Played {
  readonly folder: string
  readonly messages: unknown[]
  /** The names of the log files. */
  readonly names: string[]
}

/** Runs a program of the page in a folder of its own, and reads its log. */
async function play(t: TestContext, name: string, source: string): Promise<Played> {
  const folder = await snippetFolder(t, 'express-5', { [name]: source })
  // The path of the log is relative to where the service is started.
  const started = join(folder.path, 'started')
  mkdirSync(started)
  const program = pathToFileURL(folder.runnable(name)).href
  writeFileSync(join(started, 'start.mjs'), `await import('${program}')`)
  const { code, stdout, stderr } = await run(process.execPath, ['start.mjs'], {
    cwd: started,
    env: cleanEnv(),
  })
  assert.deepEqual([code, stdout, stderr], [0, '', ''])
  const logs = join(started, 'logs')
  const messages = readFileSync(join(logs, 'shop.log'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map(line => (JSON.parse(line) as { message: unknown }).message)
  return { folder: logs, messages, names: readdirSync(logs).sort() }
}

test('guide, log files: a file with rotation', async t => {
  const { messages, names } = await play(t, 'log.ts', file)
  assert.deepEqual([messages.at(-1), names], ['started', ['shop.log']])
})

test('guide, log files: the names of full files', async t => {
  const small = replaceOnce(file, "'10 MB'", '700')
  const many = `${small}for (let i = 0; i < 8; i++) box.log.info('a line', { i })\n`
  const { names } = await play(t, 'log.ts', many)
  const pattern = /^shop\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(\.\d)?\.log\.gz$/
  const shown = page.fence('shop.log\n').trimEnd().split('\n')
  for (const all of [names, shown]) {
    assert.equal(all.at(-1), 'shop.log')
    for (const name of all.slice(0, -1)) assert.match(name, pattern)
    assert(all.length > 2)
  }
})

test('guide, log files: what logrotate does to the file', async t => {
  assert.match(page.fence('delaycompress'), /nocreate/)
  const moving = `${file}
import { renameSync } from 'node:fs'
await new Promise(resolve => setImmediate(resolve))
renameSync('logs/shop.log', 'logs/shop.log.1')
box.log.info('after')
`
  const { folder, messages, names } = await play(t, 'log.ts', moving)
  assert.deepEqual([messages, names], [['after'], ['shop.log', 'shop.log.1']])
  assert.match(readFileSync(join(folder, 'shop.log.1'), 'utf8'), /"message":"started"/)
})

test('guide, log files: a cluster', async t => {
  const { messages, names } = await play(t, 'cluster.ts', cluster)
  assert.equal(messages.filter(message => message === 'worker started').length, 4)
  assert.deepEqual(names, ['shop.log'])
})

test('guide, log files: a function that sends lines away', async t => {
  const bodies: string[] = []
  const collector = createServer(async (request, response) => {
    bodies.push(await text(request))
    response.end()
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => collector.once('listening', resolve))
  t.after(() => collector.close())
  const { port } = collector.address() as { port: number }
  const source = replaceOnce(lines, 'https://logs.internal', `http://127.0.0.1:${port}`)
  const folder = await snippetFolder(t, 'express-5', { 'function.ts': source })
  const { code, stderr } = await run(process.execPath, [folder.runnable('function.ts')], { env: cleanEnv() })
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal((JSON.parse(bodies.at(-1) ?? '') as { message: string }).message, 'sent away')
})

everyBlockIsTested(page)
