import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { jsonLines } from 'deedbox/chests'
import { tempFolder } from '../end-to-end/ledger-process.ts'
import { aRecord, entriesOf } from './entries.ts'

test('FC-23 FC-25 a line for each variable, its value as JSON says it', async t => {
  const file = join(tempFolder(t), 'vars.jsonl')
  const chest = jsonLines(file, { customTags: { app: 'shop' } })
  const record = aRecord({
    requestId: 'r-1',
    timestamp: Date.UTC(2026, 10, 30, 5, 7, 56) * 1_000 + 42,
    error: 'it broke\ntwice',
  })
  const variables = [
    ['total', 2.5],
    ['cart', { lines: [1, 'two\n'] }],
    ['nothing', null],
  ] as const
  await chest.write(entriesOf(record, variables))
  assert.equal(
    readFileSync(file, 'utf8'),
    variables
      .map(([name, value], i) =>
        JSON.stringify({
          ...{ entry_id: `${record.id}.${i}`, request_id: 'r-1', name, value },
          ...{ created_at: '2026-11-30T05:07:56.000042Z', route: '/items/:id', method: 'GET', status: 200 },
          ...{ error: 'it broke\ntwice', service: 'shop', env: 'test', tags: { app: 'shop' } },
        }),
      )
      .join('\n')
      .concat('\n'),
  )
})
