import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { root, run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page, replaceOnce } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'

const page = new Page('examples/express-service/README.md')

test('the example alone, without a ledger: the calls of its page, as they stand there', async t => {
  const calls = page.fence('curl -s http://localhost:3000/orders/42').trimEnd().split('\n')
  const running = await startService(t, join(root, 'examples', 'express-service', 'server.ts'), {
    env: { PORT: '0' },
    conditions: ['@deedbox/source'],
  })
  for (const call of calls) {
    const command = replaceOnce(call, 'localhost:3000', `127.0.0.1:${running.port}`)
    assert.equal((await run('bash', ['-c', command], { env: cleanEnv() })).code, 0, call)
  }
  const lines = await running.when(all => all.filter(line => 'status_code' in line).length === calls.length)
  assert(lines.some(({ message, port }) => message === 'listening' && port === running.port))
  const spoken = lines.filter(line => 'status_code' in line || 'source' in line)
  assert.deepEqual(
    spoken.map(({ message, card, status_code }) => [message, card ?? status_code]),
    [
      ['looking the order up', undefined],
      ['log request', 200],
      ['charging the card', '[redacted]'],
      ['log request', 200],
      ['Unhandled exception', 500],
    ],
  )
  page.says('comes out as `[redacted]`')
  assert.match(String(spoken.at(-1)?.exception), /the warehouse does not answer/)
  for (const path of ['/__lbheartbeat__', '/__readiness__', '/__heartbeat__'])
    assert.equal((await running.call('GET', path)).status, 200, path)
  assert.equal(await running.stop(), 'SIGTERM')
})

everyBlockIsTested(page)
