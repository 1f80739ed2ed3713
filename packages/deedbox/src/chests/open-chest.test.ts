import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { isReadable } from './export-lease.ts'
import { openChest } from './open-chest.ts'

const opened: readonly (readonly [url: string, id: string, address: string, isReadable: boolean])[] = [
  ['sqlite:vars.db', 'SQLite(name=flask_chest)', resolve('vars.db'), true],
  ['SQLite:/data/a%20b.db?table=visits', 'SQLite(name=visits)', join('/data', 'a b.db'), true],
  [
    'postgres://app:hunter2@db/shop?sslmode=require&table=visits',
    'PostgreSQL(name=visits)',
    'postgres://db:5432/shop',
    true,
  ],
  ['postgresql://db/shop', 'PostgreSQL(name=tracked_variables)', 'postgres://db:5432/shop', true],
  ['mysql://app:hunter2@db/shop?table=visits', 'MySQL(name=visits)', 'mysql://db:3306/shop', true],
  ['mariadb://db:3307/shop', 'MySQL(name=tracked_variables)', 'mysql://db:3307/shop', true],
  ['mongodb://app:hunter2@a,b/shop?table=visits', 'MongoDB(name=visits)', 'mongodb://a,b/shop.visits', true],
  [
    'influx+https://db:8086?org=shop&bucket=vars&token=hunter2&measurement=visits',
    'InfluxDB(name=vars)',
    'https://db:8086/api/v2/write?org=shop&bucket=vars&precision=ns',
    false,
  ],
  [
    'https://app:hunter2@collector.example/vars?source=shop',
    'HTTP(name=https://collector.example)',
    'https://collector.example/#74fb9e7a62a69a73',
    false,
  ],
  ['jsonl:out%20a.jsonl', 'JSONLines(name=out a.jsonl)', resolve('out a.jsonl'), false],
  ['csv:/data/out.csv', 'CSV(name=/data/out.csv)', '/data/out.csv', false],
]

for (const [url, id, address, readable] of opened)
  test(`FC-22 FC-24 ${url.replace('hunter2', '…')} opens the chest that it names`, async () => {
    const chest = await openChest(url)
    assert.deepEqual([chest.id, chest.address, isReadable(chest)], [id, address, readable])
    await chest.close()
  })

test('FC-25 options that no URL says are given beside it', async () => {
  const logger = { debug: () => {}, warn: () => {} }
  const chest = await openChest('sqlite:vars.db?table=visits', { durable: true, linger: 5, logger })
  assert.deepEqual([chest.id, chest.queue?.durable, chest.queue?.linger], ['SQLite(name=visits)', true, 5])
  assert.equal(chest.logger, logger)
})

test('FC-23 anything else is refused with the forms that there are, and without the password in it', async () => {
  for (const url of ['', 'vars.db', 'sqlite:', 'redis://app:hunter2@db/0', 'constructor:x', '__proto__:x'])
    await assert.rejects(openChest(url), error => {
      assert(error instanceof Error)
      assert.equal(error.name, 'ConfigurationError')
      assert.match(
        error.message,
        /^openChest\(\): this is no URL of a chest\. There are: sqlite:vars\.db\?table=/,
      )
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    })
  await assert.rejects(openChest('sqlite:vars.db?table=x;%20drop%20table%20y'), {
    name: 'ConfigurationError',
  })
  await assert.rejects(
    openChest('sqlite:vars.db?tabel=x'),
    /sqlite: has no parameter tabel\. It has: table\.$/,
  )
})
