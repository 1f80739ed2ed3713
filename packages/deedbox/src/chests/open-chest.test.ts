import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { isReadable } from './export-lease.ts'
import { openChest } from './open-chest.ts'

test('FC-22 a URL opens the chest that it names', async () => {
  for (const [url, id, address] of [
    ['sqlite:vars.db', 'SQLite(name=flask_chest)', resolve('vars.db')],
    ['SQLite:/data/a%20b.db?table=visits', 'SQLite(name=visits)', join('/data', 'a b.db')],
  ]) {
    const chest = await openChest(url ?? '')
    assert.deepEqual([chest.id, chest.address, isReadable(chest)], [id, address, true])
    await chest.close()
  }
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
