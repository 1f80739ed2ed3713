import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Deedbox } from '../../index.ts'
import { aLedger } from '../../testing/ledger-events.ts'
import { keepAll } from '../../testing/ledger-stand-in.ts'
import { kept } from '../../testing/originals.ts'
import { ImmutableLogModule } from './index.ts'

/** Which of these paths a server has events of, watched as Nest has it watched. */
async function recorded(
  t: TestContext,
  skipPaths: readonly string[] | undefined,
  paths: readonly string[],
): Promise<string[]> {
  const ledger = await aLedger(t, keepAll)
  const { deedbox } = kept()
  const { module, providers } = ImmutableLogModule.forRoot({
    apiKey: 'iml_live_secret',
    apiUrl: ledger.url,
    skipPaths,
    deedbox,
  })
  const server = createServer((_request, response) => response.end('ok'))
  // What Nest hands to a module, as far as it is used.
  const consumer = { getHttpAdapter: () => ({ getHttpServer: () => server }) }
  const watching = new module() as { configure(given: object): void }
  watching.configure(consumer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const path of paths)
    await (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })).text()
  const box = providers.find(({ provide }) => provide === 'deedbox')?.useValue as Deedbox
  await box.close()
  return [...ledger.stored.values()].map(({ meta }) => String(meta.event_name).replace('http.GET.', ''))
}

test('IF-07 IP-01 in Nest a text of skipPaths skips the path and all below it, and nothing else', async t => {
  const paths = ['/health', '/health/live', '/healthy', '/a.b', '/a.b/c?d', '/axb', '/x/health', '/health/']
  assert.deepEqual(await recorded(t, undefined, paths), ['/healthy', '/a.b', '/a.b/c', '/axb', '/x/health'])
  assert.deepEqual(await recorded(t, ['/a.b', '/health/'], paths), [
    '/health',
    '/health/live',
    '/healthy',
    '/axb',
    '/x/health',
  ])
  assert.deepEqual(await recorded(t, [], ['/health']), ['/health'])
})
