import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { ConfigurationError } from 'deedbox'
import { ChestError, type MongoChestOptions, mongo } from 'deedbox/chests'
import { MongoClient } from 'mongodb'
import { selfSigned } from '../servers/certificates.ts'
import { ferretdb } from '../servers/mongodb.ts'
import { serverFor } from '../servers/running-server.ts'
import { chestConformance } from './conformance.ts'
import { aRecord, entriesOf } from './entries.ts'
import { clientOf, documentsOf, mongoHarness, mongoServer, newUrl, skip, storedAt } from './mongo-harness.ts'

const guarded = await serverFor(ferretdb({ user: { name: 'admin', password: 'right-9f2c' } }))
const folder = mkdtempSync(join(tmpdir(), 'deedbox-mongo-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const secured = await serverFor(ferretdb({ certificate: selfSigned(folder) }))

chestConformance({
  ...mongoHarness,
  ...(guarded.skip === false && {
    withWrongCredentials: async t => {
      const chest = mongo(newUrl(guarded.server, 'admin:wrong-7d1e@', '?authSource=admin'))
      t.after(() => chest.close())
      return { chest, password: 'wrong-7d1e' }
    },
  }),
  ...(secured.skip === false && {
    withSelfSigned: async t => {
      const url = newUrl(secured.server, '', '?tls=true')
      const lax = `${url}&tlsAllowInvalidCertificates=true`
      const [byDefault, accepting] = [mongo(url), mongo(lax)]
      t.after(() => Promise.all([byDefault.close(), accepting.close()]))
      const client = clientOf(t, lax)
      return { byDefault, accepting, stored: () => storedAt(client) }
    },
  }),
})

test('a database of the caller stays open, and its settings are for the caller’s documents', {
  skip,
}, async t => {
  const url = newUrl()
  const client = new MongoClient(url, { promoteValues: false, useBigInt64: false, ignoreUndefined: true })
  t.after(() => client.close())
  const chest = mongo(client.db(), { name: 'mine' })
  assert.equal(chest.id, 'MongoDB(name=mine)')
  assert.equal(chest.address, `${url}.mine`)
  await chest.write(entriesOf(aRecord(), [['n', 1]]))
  const [read] = await chest.oldest(1)
  assert.deepEqual([read?.entry.value, read?.entry.status, typeof read?.entry.timestamp], [1, 200, 'number'])
  for (let n = 0; n < 2; n++) assert.equal(await chest.lease('me', 60_000), true)
  assert.deepEqual([await chest.count(), await chest.remove([read!.key])], [1, 1])
  await chest.write(entriesOf(aRecord(), [['n', 1]]))
  await chest.close()
  await assert.rejects(chest.write(entriesOf(aRecord(), [['n', 1]])), /it is closed/)
  assert.equal((await client.db().collection('mine').find().toArray()).length, 1)
})

test('FC-24 a server that is not there at first is written to once it is', { skip }, async t => {
  const { port, halt, start } = mongoServer()
  const name = newUrl().split('/').at(-1)
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/${name}`, { serverSelectionTimeoutMS: 500 })
  const byUrl = mongo(`mongodb://127.0.0.1:${port}/${name}?serverSelectionTimeoutMS=500`)
  const byDatabase = mongo(client.db())
  t.after(() => Promise.all([byUrl.close(), byDatabase.close(), client.close()]))
  const chests = [byUrl, byDatabase]
  await halt()
  try {
    for (const chest of chests) {
      await assert.rejects(chest.write(entriesOf(aRecord(), [['n', 1]])), { code: 'unavailable' })
      assert.equal((await chest.check()).length, 1)
    }
  } finally {
    await start()
  }
  for (const chest of chests) await chest.write(entriesOf(aRecord(), [['n', 1]]))
  assert.equal((await documentsOf(client)).length, 2)
})

test('FC-22 options that cannot be are named, and nothing secret is repeated', () => {
  const refused = (url: string, options: object, told: RegExp): void => {
    assert.throws(
      () => mongo(url, options as MongoChestOptions),
      (error: unknown) => {
        assert(error instanceof ConfigurationError)
        assert.match(error.message, told)
        assert(!error.message.includes('s3cret'), error.message)
        return true
      },
    )
  }
  const url = 'mongodb://u:s3cret@h/db'
  refused(url, { name: 'x; drop' }, /mongo\(\): name/)
  refused(url, { retentionDays: 0 }, /retentionDays/)
  refused(url, { collection: 'x' }, /there is no such option/)
  refused('mongodb://u:s3cret@h', {}, /names no database/)
  refused('postgres://u:s3cret@h/db', {}, /no URL of MongoDB/)
  for (const odd of [
    'u:s3cret/s3cret@h',
    'u:s3cret/s3cret@h/db',
    'u:s3cret?s3cret@h/db',
    'u:s3cret/db?s3cret@h',
    'u:s3cret@s3cret/s3cret@h',
  ])
    refused(`mongodb://${odd}`, {}, /no URL of MongoDB.*%2F/)
  // As Azure writes it.
  const { address } = mongo('mongodb://u:s3cret@h:10255/db?ssl=true&appName=@u@')
  assert.equal(address, 'mongodb://h:10255/db.tracked_variables')
  refused({ db: 1 } as unknown as string, {}, /takes a Db/)
  for (const hosts of ['one:27017,two:27018', '[::1]:27017', '%2Ftmp%2Fmongodb.sock'])
    assert.equal(
      mongo(`mongodb://u:s3cret@${hosts}/db?w=1&replicaSet=r`).address,
      `mongodb://${hosts}/db.tracked_variables`,
    )
  assert.equal(
    mongo('mongodb+srv://u:s3cret@cluster.example/db', { name: 'mine' }).address,
    'mongodb+srv://cluster.example/db.mine',
  )
})

test('a URL that the driver does not take is told without its password', async t => {
  // What the driver says of this one quotes the host, and so the password.
  const chest = mongo('mongodb://u:s3cret@s3cret:99999/db')
  t.after(() => chest.close())
  await assert.rejects(chest.write(entriesOf(aRecord(), [['n', 1]])), (error: unknown) => {
    assert(error instanceof ChestError)
    assert.match(error.message, /^MongoDB\(name=tracked_variables\): mongodb does not take its URL: .*…/)
    for (const at of [error, error.cause]) assert(!String(at).includes('s3cret'), String(at))
    return true
  })
})

test('without the package of the driver, what to install is said', async () => {
  const source = `
import { registerHooks } from 'node:module'
registerHooks({ resolve: (name, context, next) => {
  if (name === 'mongodb') throw Object.assign(new Error(name), { code: 'ERR_MODULE_NOT_FOUND' })
  return next(name, context)
} })
const { mongo } = await import('deedbox/chests')
console.log(JSON.stringify(await mongo('mongodb://h/db').check()))`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module', '-e', source],
    { cwd: import.meta.dirname },
  )
  const [message] = JSON.parse(stdout)
  assert.match(
    message.message,
    /^MongoDB\(name=tracked_variables\): the package mongodb could not be loaded; run: npm i mongodb \(mongodb\)$/,
  )
})
