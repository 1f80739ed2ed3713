import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { ConfigurationError } from 'deedbox'
import { ChestError, type MongoChestOptions, mongo, type TrackedValue } from 'deedbox/chests'
import { type Document, MongoClient } from 'mongodb'
import { selfSigned } from '../servers/certificates.ts'
import { ferretdb, mongod } from '../servers/mongodb.ts'
import { type RunningServer, serverFor } from '../servers/running-server.ts'
import type { Place, Stored } from './chest-harness.ts'
import { chestConformance } from './conformance.ts'
import { aRecord, entriesOf, eventually } from './entries.ts'

const found = await serverFor(mongod, ferretdb())
const { skip } = found
const password = 'right-9f2c'
const guarded = await serverFor(ferretdb({ user: { name: 'admin', password } }))
const folder = mkdtempSync(join(tmpdir(), 'deedbox-mongo-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const secured = await serverFor(ferretdb({ certificate: selfSigned(folder) }))

function running(of: typeof found = found): RunningServer {
  if (of.skip !== false) throw new Error(of.skip)
  return of.server
}

/** The URL of a database that nobody has written to. */
function newUrl({ port }: RunningServer = running(), user = '', query = ''): string {
  return `mongodb://${user}127.0.0.1:${port}/t${randomUUID().slice(0, 8)}${query}`
}

/** Another client. */
function clientOf(t: TestContext, url: string): MongoClient {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000 })
  t.after(() => client.close())
  return client
}

/** What another client finds, read as the layout is documented. */
async function storedAt(client: MongoClient): Promise<Stored[]> {
  return (await documentsOf(client)).flatMap(
    ({ request_id, timestamp, route, method, status, tags, values }) =>
      Object.entries(values as Record<string, TrackedValue>).map(([key, value]) => ({
        ...{ name: plainName(key), value: plainValue(value), requestId: request_id },
        ...{ timestamp, route, method, status, tags },
      })),
  )
}

function plainName(key: string): string {
  return key === '%' ? '' : decodeURIComponent(key)
}

function plainValue(value: TrackedValue): TrackedValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plainValue)
  const members = Object.entries(value)
  if (members[0]?.[0] === '%json') return JSON.parse(String(members[0][1]))
  return Object.fromEntries(members.map(([key, member]) => [plainName(key), plainValue(member)]))
}

chestConformance({
  name: 'MongoDB',
  skip,
  isIdempotent: true,
  isReadable: true,
  server: {
    halt: () => running().halt(),
    start: () => running().start(),
  },
  place: async (t): Promise<Place> => {
    const url = newUrl()
    const client = clientOf(t, url)
    return {
      open: options => mongo(url, options),
      stored: () => storedAt(client),
      program: `import { mongo } from 'deedbox/chests'
export const open = () => mongo(${JSON.stringify(url)})
`,
    }
  },
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

async function documentsOf(client: MongoClient): Promise<Document[]> {
  // FerretDB loses a cursor while documents are deleted.
  const options = { sort: { at: 1, _id: 1 }, batchSize: 10_000 } as const
  return client.db().collection('tracked_variables').find({}, options).toArray()
}

test('FC-24 a request is a document, laid out as documented, in the types of BSON', { skip }, async t => {
  const client = clientOf(t, newUrl())
  const chest = mongo(client.db(), { tags: { app: 'shop', 'a.b': 'c' } })
  t.after(() => chest.close())
  const record = aRecord({ timestamp: 1_700_000_000_123_456, error: 'it broke', status: 500 })
  await chest.write(
    entriesOf(record, [
      ['user.id', 'u-1'],
      ['total', 12.5],
      ['items', 3],
      ['big', 2 ** 40],
      ['nothing', null],
      [
        'cart',
        { 'a.b': [1, { $set: true }], '': 'x', ['__proto__']: 1, _bsontype: 'Long', 'n\0': 2, _id: 7 },
      ],
    ]),
  )
  const { requestId: request_id, service, env, route, method, status, error, timestamp } = record
  const cart = {
    ...{ 'a%2Eb': [1, { '%24set': true }], '%': 'x', ['__proto__']: 1, '%5Fbsontype': 'Long' },
    ...{ 'n%00': 2, _id: 7 },
  }
  assert.deepEqual(await documentsOf(client), [
    {
      ...{ _id: record.id, request_id, at: new Date(1_700_000_000_123), timestamp },
      ...{ service, env, route, method, status, error },
      tags: { app: 'shop', 'a%2Eb': 'c' },
      values: { 'user%2Eid': 'u-1', total: 12.5, items: 3, big: 2 ** 40, nothing: null, cart },
      positions: { 'user%2Eid': 0, total: 1, items: 2, big: 3, nothing: 4, cart: 5 },
    },
  ])
  const collection = client.db().collection('tracked_variables')
  const [typed] = await collection.find({}, { promoteValues: false }).toArray()
  const { total, items, big } = typed!.values
  assert.deepEqual(
    [total, items, big].map(value => value._bsontype),
    ['Double', 'Int32', 'Double'],
  )
  assert.equal(await collection.countDocuments({ 'values.cart.%5Fbsontype': 'Long', 'tags.app': 'shop' }), 1)
  assert.deepEqual((await chest.oldest(9)).at(-1)?.entry.value, {
    ...{ 'a.b': [1, { $set: true }], '': 'x', ['__proto__']: 1, _bsontype: 'Long', 'n\0': 2, _id: 7 },
  })
})

test('FC-24 parts of a request add up in one document, and are removed one by one', { skip }, async t => {
  const client = clientOf(t, newUrl())
  const chest = mongo(client.db())
  t.after(() => chest.close())
  const entries = entriesOf(aRecord(), [
    ['b', 1],
    ['2', { c: [] }],
    ['a', 'x'],
  ])
  await chest.write(entries.slice(1))
  await chest.write(entries.slice(0, 2))
  const ids = (await chest.oldest(9)).map(({ entry }) => entry.id)
  assert.deepEqual(
    ids,
    entries.map(({ id }) => id),
  )
  const [document] = await documentsOf(client)
  assert.deepEqual(document?.values, { 2: { c: [] }, a: 'x', b: 1 })
  await chest.write(entries)
  assert.deepEqual(await documentsOf(client), [document])
  assert.equal(await chest.count(), 3)
  assert.equal(await chest.remove([ids[1]!, ids[0]!, `${aRecord().id}.0`, 'no id', 7]), 2)
  const [left, ...others] = await documentsOf(client)
  assert.deepEqual([left?.values, left?.positions, others], [{ a: 'x' }, { a: 2 }, []])
  assert.equal(await chest.remove(ids), 1)
  assert.deepEqual(await documentsOf(client), [])
  // A name that is a number stands first in an object, wherever it stands in the document.
  for (const part of [entries.slice(2), entries.slice(1)]) await chest.write(part)
  assert.equal(await chest.remove(ids), 2)
  assert.deepEqual(await documentsOf(client), [])
})

test('FC-23 what MongoDB will never take is refused, and nothing else of the write', { skip }, async t => {
  const url = newUrl()
  const chest = mongo(url)
  t.after(() => chest.close())
  const records = [aRecord(), aRecord(), aRecord(), aRecord()]
  const large = 'x'.repeat(2 ** 23)
  const write = chest.write(
    records.flatMap((record, i) =>
      entriesOf(record, i === 2 ? [0, 1].map(n => [`n${n}`, large] as const) : [['n', i]]),
    ),
  )
  await assert.rejects(write, (error: unknown) => {
    assert(error instanceof ChestError)
    assert.equal(error.code, 'refused')
    assert.deepEqual(
      [...error.taken].sort(),
      [0, 1, 3].map(i => records[i]!.id),
    )
    return true
  })
  const values = (await storedAt(clientOf(t, url))).map(({ value }) => value)
  assert.deepEqual(values, [0, 1, 3])
})

test('FC-23 lists in lists are kept, as JSON text where a server has no such lists', { skip }, async t => {
  const client = clientOf(t, newUrl())
  const chest = mongo(client.db())
  t.after(() => chest.close())
  const entries = entriesOf(aRecord(), [
    ['lists', [[1, { 'a.b': 2 }]]],
    ['n', 1],
  ])
  await chest.write([...entries, ...entriesOf(aRecord(), [['list', [1]]])])
  await chest.write(entries)
  const lists = running().name === 'FerretDB' ? { '%json': '[[1,{"a.b":2}]]' } : [[1, { 'a%2Eb': 2 }]]
  assert.deepEqual(
    (await documentsOf(client)).map(({ values }) => values),
    [{ lists, n: 1 }, { list: [1] }],
  )
  assert.deepEqual(
    (await chest.oldest(9)).map(({ entry }) => entry.value),
    [[[1, { 'a.b': 2 }]], 1, [1]],
  )
})

test('what is older than retentionDays goes, beside writes; lookups have their indexes', {
  skip,
}, async t => {
  const client = clientOf(t, newUrl())
  const [keeping, chest] = [mongo(client.db()), mongo(client.db(), { retentionDays: 2 })]
  t.after(() => Promise.all([keeping.close(), chest.close()]))
  const day = 86_400_000_000
  const written = (age: number) =>
    entriesOf(aRecord({ timestamp: Date.now() * 1_000 - age * day }), [['n', age]])
  await keeping.write([
    ...written(1.9),
    ...Array.from({ length: 600 }, () => written(2.1)).flat(),
    ...written(0),
  ])
  await keeping.close()
  await chest.write(written(1))
  await eventually(async () => (await documentsOf(client)).length === 3)
  assert.deepEqual(
    (await chest.oldest(9)).map(({ entry }) => entry.value),
    [1.9, 1, 0],
  )
  const indexes = await client.db().collection('tracked_variables').indexes()
  assert.deepEqual(indexes.map(({ key }) => Object.keys(key).join()).sort(), ['_id', 'at,_id', 'request_id'])
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

test('FC-29 who was slow to take the right does not get it from who took it meanwhile', { skip }, async t => {
  const client = clientOf(t, newUrl())
  const database = client.db()
  const other = mongo(database)
  const slow = mongo({
    databaseName: database.databaseName,
    command: command => database.command(command),
    collection: (name, options) => {
      const collection = database.collection(name, options)
      return Object.assign(Object.create(collection), {
        insertOne: async (turn: Record<string, unknown>) => {
          // A renewal clears the turn away that the slow one is about to take.
          for (let n = 0; n < 2; n++) assert.equal(await other.lease('other', 600_000), true)
          return collection.insertOne(turn)
        },
      })
    },
  })
  t.after(() => Promise.all([other.close(), slow.close()]))
  assert.equal(await slow.lease('slow', 600_000), false)
  assert.equal(await other.lease('third', 600_000), false)
  assert.equal(await other.lease('other', 600_000), true)
  const turns = await database.collection('tracked_variables_lease').find().toArray()
  assert.deepEqual(
    turns.map(({ holder }) => holder),
    ['other'],
  )
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
    /^MongoDB\(name=tracked_variables\): it needs the package mongodb.*npm i mongodb/,
  )
})
