import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deedbox } from 'deedbox'
import { postgresOutbox } from 'deedbox/outbox'
import pg from 'pg'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/transactional-outbox.md')
const shop = page.fence('// shop.ts')
const shown = page.fence('"audit event"')
const definition = page.fence('CREATE TABLE "deedbox_outbox"')
const statements = page.fence('UPDATE deedbox_outbox')
const files = {
  'shop.ts': shop,
  'orders-postgres.ts': page.fence('// orders-postgres.ts'),
  'orders-mysql.ts': page.fence('// orders-mysql.ts'),
}

test('guide, transactional outbox: all programs compile; that for SQLite prints what the page shows', async t => {
  const folder = await snippetFolder(t, 'express-5', files)
  const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('shop.ts')], {
    env: cleanEnv(),
    cwd: folder.path,
  })
  assert.deepEqual([code, stdout], [0, ''], stderr)
  // Not a warning of Node about its own SQLite.
  const lines = stderr.split('\n').filter(line => line.startsWith('{'))
  assert.deepEqual(
    lines.map(line => steady(JSON.parse(line))),
    [steady(JSON.parse(shown))],
  )
})

test('guide, transactional outbox: the statements are those of the code', async t => {
  const box = deedbox({ ledger: null, flushOnSignal: false })
  t.after(() => box.close())
  const outbox = postgresOutbox(box, new pg.Pool())
  assert.equal(`${outbox.definition}\n`, definition)
  for (const column of ['id', 'reason', 'refused_at']) {
    assert(statements.includes(column))
    assert.match(outbox.definition, new RegExp(`^  ${column} `, 'm'))
  }
})

everyBlockIsTested(page)

/** A line without what differs each time. */
function steady(line: Record<string, unknown>): unknown {
  return JSON.parse(
    JSON.stringify(line)
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)/g, '<time>'),
  )
}
