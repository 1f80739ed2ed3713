import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page, replaceOnce } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/requests.md')
const instance = page.fence('requestId: {')
const queue = page.fence('box.bind(job)')
const server = page.fence('attachServer(server, box)')
const mozlog = page.fence('// mozlog.ts')

/** Routes that use what the page's blocks make, and a server that a test can reach. */
const playing = (billing: string): string => `
// In nobody's context.
setInterval(() => queue.shift()?.(), 5)
server.removeAllListeners('request')
server.on('request', (request, response) => {
  if (request.url === '/billed') void fetch('${billing}').then(() => response.end('billed'))
  else if (request.url === '/queued') {
    later(() => {
      box.log.info('taken out')
      response.end('queued')
    })
  } else response.end('ok')
})
server.listen(0)
await nightly()
process.on('SIGUSR2', () => void Promise.reject(new Error('nobody caught it')))
`

test('guide, requests: ids, propagation, a queue, a job, a server and an uncaught error', async t => {
  const seen: NodeJS.Dict<string | string[]>[] = []
  const billing = createServer((request, response) => {
    seen.push(request.headers)
    response.end('ok')
  }).listen(0, '127.0.0.1')
  await once(billing, 'listening')
  t.after(() => billing.close())
  const origin = `http://127.0.0.1:${(billing.address() as { port: number }).port}`
  const imports = /^import [^\n]*\n/gm
  const whole = [instance, queue, server]
  const source =
    whole.flatMap(block => block.match(imports) ?? []).join('') +
    whole.map(block => block.replace(imports, '')).join('') +
    playing(origin)
  const folder = await snippetFolder(t, 'express-5', {
    'server.ts': replaceOnce(source, 'https://billing.internal', origin),
  })
  const running = await startService(t, folder.runnable('server.ts'))
  const [, said] = await running.when(lines => lines.some(line => line.message === 'job completed'))
  assert.deepEqual(
    [said?.message, said?.request_id],
    ['no request, but an id all the same', 'nightly-2026-11-29'],
  )

  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = { 'x-correlation-id': 'theirs', traceparent }
  const billed = await running.call('GET', '/billed', { headers })
  const id = billed.headers['x-correlation-id'] ?? ''
  page.says('or prefix an id that the client sent')
  assert.match(id, /^theirs\.[0-9a-f]{8}-[0-9a-f]{4}-7/)
  assert.deepEqual(
    seen.map(sent => [sent['x-correlation-id'], String(sent.traceparent).slice(0, 35)]),
    [[id, traceparent.slice(0, 35)]],
  )
  const queued = await running.call('GET', '/queued')
  const lines = await running.when(all => all.filter(line => 'status_code' in line).length === 2)
  const taken = lines.find(line => line.message === 'taken out')
  assert.equal(taken?.request_id, queued.headers['x-correlation-id'])
  assert.equal(lines.find(line => line.request_id === id)?.trace_id, traceparent.slice(3, 35))

  const socket = connect(running.port, '127.0.0.1')
  socket.end('no request\r\n\r\n')
  assert.match(await text(socket), /^HTTP\/1\.1 400/)
  await running.when(all => all.some(line => line.status_code === 400))
  await running.call('OPTIONS', '/')
  process.kill(running.pid, 'SIGUSR2')
  assert.equal(await running.ended, 1)
  assert(!running.lines().some(line => line.method === 'OPTIONS'))
  page.says('an uncaught error ends the process as ever, but Node prints nothing beside our line')
  const uncaught = running
    .lines()
    .filter(line => String(line.exception).startsWith('Error: nobody caught it'))
  assert.deepEqual([uncaught.length, running.rest()], [1, ''])
})

test('guide, requests: a line in mozlog, on standard output', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'mozlog.ts': mozlog })
  const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('mozlog.ts')], {
    env: cleanEnv(),
  })
  assert.deepEqual([code, stderr], [0, ''])
  const { Logger, Type, EnvVersion, Fields } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  assert.deepEqual(
    [Logger, Type, EnvVersion, Fields.msg, Fields.port],
    ['shop', 'app.log', '2.0', 'started', 8080],
  )
})

everyBlockIsTested(page)
