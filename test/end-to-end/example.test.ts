import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { ledgerEnv, root, run, tempFolder } from './ledger-process.ts'

/** A port that was free a moment ago. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return String(port)
}

interface Page {
  events: { tx_id: string; payload: string; meta: { event_name: string; type: string } }[]
}

test('IF-16 IF-25 the example: curl shows JSON lines, the ledger has the events, each receipt holds offline', async t => {
  const folder = tempFolder(t)
  const env = ledgerEnv(folder, { PORT: await freePort(), LEDGER_PORT: await freePort() })
  const example = spawn(process.execPath, [join(root, 'scripts', 'example.js')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => example.kill('SIGTERM'))
  let stdout = ''
  let stderr = ''
  example.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  example.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  while (!stdout.includes('Ctrl-C stops both.')) {
    const ended = await Promise.race([
      once(example.stdout, 'data').then(() => false),
      once(example, 'exit').then(() => true),
    ])
    assert(!ended, `the example ended: ${stderr}`)
  }
  const printed = stdout
    .split('\n')
    .filter(line => line.startsWith('  '))
    .map(line => line.trim())
  const calls = printed.filter(line => line.includes(`:${env.PORT}/`))
  assert.equal(calls.length, 3)
  for (const call of calls) assert.equal((await run('bash', ['-c', call])).code, 0)

  const key = printed.find(line => line.startsWith('export '))?.split('=')[1] ?? ''
  const search = async (): Promise<Page> => {
    const response = await fetch(`http://localhost:${env.LEDGER_PORT}/v1/events?service=shop`, {
      headers: { authorization: `Bearer ${key}` },
    })
    return (await response.json()) as Page
  }
  // The answers came at once; the events follow from the service's queue.
  let page = await search()
  for (let tries = 0; tries < 200 && page.events.length < 3; tries++) {
    await new Promise(resolve => setTimeout(resolve, 25))
    page = await search()
  }
  const named = page.events.map(({ meta }) => `${meta.event_name} ${meta.type}`)
  assert.deepEqual(named.sort(), [
    'http.GET./broken error',
    'http.GET./orders/:id success',
    'payment.checkout.initiated success',
  ])
  assert(!JSON.stringify(page).includes('4242424242424242'), 'the card number never left the service')

  const lines = stderr
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Record<string, unknown>)
  assert(!stderr.includes('4242424242424242'))
  const requests = lines.filter(
    line => line.message === 'log request' && line.path_with_query === '/orders/42',
  )
  assert.equal(requests.length, 1)
  const spoken = lines.find(line => line.message === 'looking the order up' && line.order === '42')
  assert.equal(spoken?.request_id, requests[0]?.request_id)
  const failed = lines.find(line => line.message === 'Unhandled exception')
  assert.match(String(failed?.exception), /the warehouse does not answer/)

  const rest = printed.slice(printed.findIndex(line => line.startsWith('export ')))
  const script = rest.join('\n').replaceAll('receipt.tlog-proof', join(folder, 'receipt.tlog-proof'))
  const checked = await run('bash', ['-euc', script], { cwd: root })
  assert.equal(checked.code, 0, checked.stdout + checked.stderr)
  assert.match(checked.stdout, /^ok$|\}ok$/m)

  example.kill('SIGTERM')
  const [code] = await once(example, 'exit')
  assert.equal(code, 0)
})

test('the example says so when a port is taken, instead of talking to whoever listens there', async t => {
  const stranger = createServer(socket =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
  ).listen(0)
  await once(stranger, 'listening')
  t.after(() => stranger.close())
  const taken = String((stranger.address() as { port: number }).port)
  const script = join(root, 'scripts', 'example.js')
  for (const [env, what] of [
    [{ PORT: await freePort(), LEDGER_PORT: taken }, /the ledger \(LEDGER_PORT/],
    [{ PORT: taken, LEDGER_PORT: await freePort() }, /the service \(PORT/],
  ] as const) {
    const { code, stdout, stderr } = await run(process.execPath, [script], {
      env: ledgerEnv(tempFolder(t), env),
    })
    assert.equal(code, 1, stdout + stderr)
    assert.match(stderr, what)
    assert.doesNotMatch(stdout, /Ctrl-C stops both/)
  }
})
