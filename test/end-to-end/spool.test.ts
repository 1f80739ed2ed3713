import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { deedbox } from 'deedbox'
import { startChild } from '../../packages/deedbox/src/testing/ledger-child.ts'
import { until } from '../../packages/deedbox/src/testing/ledger-stand-in.ts'
import { filesBelow, spoolFolder } from '../../packages/deedbox/src/testing/spooled-events.ts'
import { checkLog } from '../../packages/ledger/src/testing/temp-ledger.ts'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'

test('IF-37 IP-08 ruling 23 kill -9 while a ledger stores: the next process completes it, and nothing is stored twice', async t => {
  const ledger = await startTestServer(t)
  const folder = spoolFolder(t)
  const keys = new Set<string>()
  for (let nth = 0; nth < 3; nth++) {
    const child = startChild('spooling-child.ts', {
      DEEDBOX_URL: ledger.url,
      DEEDBOX_API_KEY: ledger.key,
      DEEDBOX_SPOOL: folder,
      COUNT: '700',
    })
    t.after(() => child.process.kill('SIGKILL'))
    await child.said('kept ')
    const gone = once(child.process, 'exit')
    child.process.kill('SIGKILL')
    await gone
    for (const key of JSON.parse(/kept (.*)/.exec(child.output())![1]!) as string[]) keys.add(key)
  }
  const box = deedbox({
    service: 'spooling',
    ledger: { url: ledger.url, apiKey: ledger.key },
    audit: { spool: { folder } },
    log: { sink: { write: () => undefined } },
  })
  await until(() => !filesBelow(folder).some(name => name.endsWith('.events')))
  assert.equal(await box.close(10_000), true)
  assert.equal(keys.size, 2_103)
  const stored = checkLog(ledger.folder)
  assert.equal(stored.verdict, 'ok')
  let count = 0
  let cursor: string | undefined
  do {
    const page = ledger.ledger.search({ limit: 100, ...(cursor === undefined ? {} : { cursor }) })
    count += page.events.filter(({ meta }) => meta.service === 'tests').length
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  assert.equal(count, 2_103)
})
