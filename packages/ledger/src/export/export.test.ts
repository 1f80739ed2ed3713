import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { canonicalJson, checkReceipt, matchesCommitment, type Part, parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import type { Ledger } from '../ledger.ts'
import { openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import { startTestServer } from '../testing/temp-server.ts'
import { ExportEnd, type ExportManifest, type ExportQuery } from './index.ts'

interface Line {
  index: number
  tx_id: string
  at: string
  kind: string
  payload: string | null
  meta: Record<string, unknown>
  server: Record<string, unknown> | null
  salts: Partial<Record<Part, string>>
  receipt: string
}

interface Read {
  bytes: Buffer
  events: Line[]
  manifest: ExportManifest
}

function read(bytes: Buffer): Read {
  const lines = bytes.toString('utf8').split('\n')
  assert.equal(lines.pop(), '')
  const { manifest } = JSON.parse(lines.pop() ?? '') as { manifest: ExportManifest }
  return { bytes, events: lines.map(line => JSON.parse(line) as Line), manifest }
}

const exportOf = (ledger: Ledger, query: ExportQuery = {}) =>
  read(Buffer.concat([...ledger.view.export(query).pieces()]))

/** Checks what a stranger can: each receipt against the key, and all that is shown against the leaf. */
function checkLines({ events, manifest }: Read, keys: readonly string[]): void {
  const pinned = keys.map(key => parseVerifierKey(nodeCrypto.sha256, key))
  for (const line of events) {
    const report = checkReceipt(nodeCrypto, line.receipt, pinned)
    const { leaf, receipt } = report
    assert.equal(report.verdict, 'ok')
    assert(leaf !== undefined)
    assert.equal(receipt.checkpoint, manifest.checkpoint)
    assert.deepEqual(
      [receipt.index, leaf.tx_id, leaf.at, leaf.kind],
      [line.index, line.tx_id, line.at, line.kind],
    )
    assert.deepEqual(receipt.disclosed, {})
    const { type, event_name, service, env, ...context } = line.meta
    const texts: Record<Part, string | null> = {
      core: canonicalJson({ type, event_name, service, ...(env === undefined ? {} : { env }) }),
      context: canonicalJson(context),
      payload: line.payload,
      server: line.server === null ? null : canonicalJson(line.server),
    }
    for (const [part, salt] of Object.entries(line.salts) as [Part, string][]) {
      const shown = { salt: Buffer.from(salt, 'base64'), content: Buffer.from(texts[part] ?? '') }
      assert(matchesCommitment(nodeCrypto, leaf, part, shown), `${part} of ${line.index}`)
    }
  }
}

test('F5 F14 every size of tree exports to lines that prove all they show, as the receipts of the ledger do', async t => {
  const ledger = await openTestLedger(t, tempFolder(t))
  let size = 0
  for (const upTo of [1, 2, 3, 255, 256, 257, 513, 770]) {
    await ledger.appendBatch(
      Array.from({ length: upTo - size }, (_, i) =>
        testEvent(size + i, {
          meta: {
            ...testEvent(size + i).meta,
            actor: { id: `ü${i}` },
            env: 'test',
            note: { b: 1.5, a: '\u2028"' },
          },
          ...(i % 3 === 0 ? { idempotencyKey: `k${size + i}` } : {}),
        }),
      ),
    )
    size = upTo
    const made = exportOf(ledger)
    assert.equal(made.manifest.count, upTo)
    for (const { tx_id, receipt } of made.events) assert.equal(receipt, ledger.receipt(tx_id))
    if (upTo <= 257) checkLines(made, ledger.about.verifierKeys)
  }
  const { manifest, events, bytes } = exportOf(ledger, { from: 250, to: 600 })
  assert.deepEqual(
    events.map(event => event.index),
    Array.from({ length: 350 }, (_, i) => 250 + i),
  )
  const { sha256, exported_at, ...stated } = manifest
  assert.deepEqual(stated, {
    format: 'deedbox-export/v1',
    ledger: ledger.about.origin,
    name: 'main',
    verifier_keys: ledger.about.verifierKeys,
    checkpoint: ledger.head().note,
    tree_size: 770,
    from: 250,
    to: 600,
    filters: {},
    count: 350,
  })
  assert(Date.parse(exported_at) > 0)
  const end = bytes.lastIndexOf('{"manifest"')
  assert.equal(createHash('sha256').update(bytes.subarray(0, end)).digest('hex'), sha256)
})

test('a range of time becomes one of indices; filters are named; a range beyond the ledger is refused', async t => {
  const ledger = await openTestLedger(t, tempFolder(t))
  for (const n of [0, 1, 2, 3, 4, 5]) {
    await ledger.append(testEvent(n, { meta: { ...testEvent(n).meta, subject: `s${n % 2}` } }))
    const at = Date.now()
    while (Date.now() === at);
  }
  const at = (n: number) => ledger.search({ request_id: `request-${n}` }).events[0]!.at
  const inTime = exportOf(ledger, { since: at(2), until: at(5) }).manifest
  assert.deepEqual([inTime.from, inTime.to, inTime.count, inTime.filters], [2, 5, 3, {}])
  const both = exportOf(ledger, { since: at(2), from: 3, to: 4 }).manifest
  assert.deepEqual([both.from, both.to, both.count], [3, 4, 1])
  const chosen = exportOf(ledger, { subject: 's1', from: 2 })
  assert.deepEqual(
    [chosen.events.map(event => event.index), chosen.manifest.filters, chosen.manifest.count],
    [[3, 5], { subject: 's1' }, 2],
  )
  assert.deepEqual([chosen.manifest.from, chosen.manifest.to], [2, 6])
  checkLines(chosen, ledger.about.verifierKeys)
  for (const empty of [
    { from: 3, to: 3 },
    { until: '2000-01-01T00:00:00Z' },
    { since: '2999-01-01T00:00:00Z' },
  ]) {
    const { manifest } = exportOf(ledger, empty)
    assert.deepEqual([manifest.count, manifest.to - manifest.from], [0, 0])
  }
  for (const query of [
    { to: 7 },
    { from: 4, to: 3 },
    { from: -1 },
    { from: 1.5 },
    { since: 'now' },
    { type: 'x' },
  ]) {
    assert.throws(() => ledger.view.export(query), { code: 'invalid_query' }, JSON.stringify(query))
  }
})

test('P8 a ledger without entries exports to a manifest alone', async t => {
  const { events, manifest } = exportOf(await openTestLedger(t, tempFolder(t)))
  assert.deepEqual([events.length, manifest.count, manifest.tree_size], [0, 0, 0])
})

test('what was erased is null or absent, and the rest still proves itself', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  for (const n of [0, 1]) await ledger.append(testEvent(n, { meta: { ...testEvent(n).meta, subject: 'x' } }))
  const db = new DatabaseSync(join(folder, 'ledger.db'))
  db.exec(`UPDATE events SET payload = NULL, payload_salt = NULL, context = NULL, context_salt = NULL,
    server = NULL, server_salt = NULL WHERE request_id = 'request-1'`)
  db.close()
  const made = exportOf(ledger)
  const [, erased] = made.events
  assert.deepEqual(
    [erased?.payload, erased?.server, Object.keys(erased?.salts ?? {})],
    [null, null, ['core']],
  )
  assert.deepEqual(erased?.meta, { event_name: 'test.happened', service: 'test', type: 'info' })
  checkLines(made, ledger.about.verifierKeys)
})

test('F16 an export that broke off or was changed is noticed, wherever it was cut', async t => {
  const ledger = await openTestLedger(t, tempFolder(t))
  for (const n of [0, 1, 2]) await ledger.append(testEvent(n))
  const { bytes, manifest } = exportOf(ledger)
  for (const size of [1, 2, 7, 1_000, bytes.length]) {
    const end = new ExportEnd()
    for (let at = 0; at < bytes.length; at += size) end.take(bytes.subarray(at, at + size))
    assert.deepEqual(end.manifest(), manifest, `in pieces of ${size}`)
  }
  const judge = (changed: Buffer) => {
    const end = new ExportEnd()
    end.take(changed)
    return end.manifest()
  }
  for (let cut = 0; cut < bytes.length; cut += 97) {
    assert.throws(() => judge(bytes.subarray(0, cut)), { code: 'incomplete' }, `cut at ${cut}`)
  }
  assert.throws(() => judge(bytes.subarray(0, -1)), { code: 'incomplete' })
  const changed = Buffer.from(bytes)
  changed[40]! ^= 1
  assert.throws(() => judge(changed), { code: 'incomplete' })
  assert.throws(() => judge(bytes.subarray(bytes.indexOf('\n') + 1)), { code: 'incomplete' })
})

test('GET /v1/export gives the same bytes, says the range, is a read on record and needs the scope read', async t => {
  const reads: unknown[] = []
  const server = await startTestServer(t, { onRead: read => reads.push(read), streams: { exports: 1 } })
  await server.ledger.appendBatch(Array.from({ length: 300 }, (_, n) => testEvent(n)))
  const answer = await server.call('GET', '/v1/export?from=10&to=299')
  const { headers } = answer
  assert.equal(headers.get('content-type'), 'application/x-ndjson; charset=utf-8')
  assert.deepEqual([headers.get('deedbox-from'), headers.get('deedbox-to')], ['10', '299'])
  const local = exportOf(server.ledger, { from: 10, to: 299 })
  const remote = read(Buffer.from(answer.text))
  assert.deepEqual(remote.events, local.events)
  assert.deepEqual(remote.manifest, { ...local.manifest, exported_at: remote.manifest.exported_at })
  const [seen] = reads as { principal: string }[]
  assert.deepEqual(reads, [{ principal: seen?.principal, range: { from: 10, to: 299 } }])
  for (const query of ['to=302', 'from=x', 'limit=3', 'order=asc', 'since=now']) {
    const refused = await server.call('GET', `/v1/export?${query}`)
    assert.deepEqual([refused.status, refused.json.reason], [400, 'invalid_query'], query)
  }
  assert.equal((await fetch(`${server.url}/v1/export`)).status, 401)
  assert.deepEqual(server.faults, [])
})
