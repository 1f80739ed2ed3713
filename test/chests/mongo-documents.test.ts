import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChestError, mongo } from 'deedbox/chests'
import { type AnyBulkWriteOperation, MongoServerError } from 'mongodb'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { clientOf, documentsOf, mongoServer, newUrl, skip, storedAt } from './mongo-harness.ts'

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

test('FC-28 a part that comes while the others are removed stays', { skip }, async t => {
  const client = clientOf(t, newUrl())
  const database = client.db()
  const [entry, part] = entriesOf(aRecord(), [
    ['a', 1],
    ['b', 2],
  ])
  const chest = mongo(database)
  const exporting = mongo({
    databaseName: database.databaseName,
    command: command => database.command(command),
    collection: (name, options) => {
      const collection = database.collection(name, options)
      return Object.assign(Object.create(collection), {
        bulkWrite: async (operations: AnyBulkWriteOperation[]) => {
          await chest.write([part!])
          return collection.bulkWrite(operations)
        },
      })
    },
  })
  t.after(() => Promise.all([chest.close(), exporting.close()]))
  await chest.write([entry!])
  assert.equal(await exporting.remove([entry!.id]), 1)
  assert.deepEqual(
    (await documentsOf(client)).map(({ values }) => values),
    [{ b: 2 }],
  )
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
    assert.deepEqual([...error.refused], [records[2]!.id])
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
  await chest.write([...entries.slice(1), ...entriesOf(aRecord(), [['list', [1]]])])
  for (let n = 0; n < 2; n++) await chest.write(entries)
  const others = entriesOf(aRecord(), [['lists', [[1]]]])
  await chest.write([...others, ...entries])
  await chest.remove(others.map(({ id }) => id))
  const lists = mongoServer().name === 'FerretDB' ? { '%json': '[[1,{"a.b":2}]]' } : [[1, { 'a%2Eb': 2 }]]
  assert.deepEqual(
    (await documentsOf(client)).map(({ values }) => values),
    [{ lists, n: 1 }, { list: [1] }],
  )
  assert.deepEqual(
    (await chest.oldest(9)).map(({ entry }) => entry.value),
    [[[1, { 'a.b': 2 }]], 1, [1]],
  )
})

test('FC-18 what a server refuses because of how it was asked is tried again', { skip }, async t => {
  const client = clientOf(t, newUrl())
  const database = client.db()
  let isRefusing = true
  const chest = mongo({
    databaseName: database.databaseName,
    command: command => database.command(command),
    collection: (name, options) => {
      const collection = database.collection(name, options)
      return Object.assign(Object.create(collection), {
        bulkWrite: async (operations: AnyBulkWriteOperation[]) => {
          // As a server says it that is asked for a write concern that it does not have.
          if (isRefusing) throw new MongoServerError({ message: 'w is too large', code: 2 })
          return collection.bulkWrite(operations)
        },
      })
    },
  })
  t.after(() => chest.close())
  const entries = [1, 2].flatMap(n => entriesOf(aRecord(), [['n', n]]))
  await assert.rejects(chest.write(entries), { code: 'unavailable', message: /w is too large/ })
  isRefusing = false
  await chest.write(entries)
  assert.equal(await chest.count(), 2)
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

test('FC-24 documents of other programs in the collection are neither read nor counted, changed or deleted', {
  skip,
}, async t => {
  const client = clientOf(t, newUrl())
  const chest = mongo(client.db(), { retentionDays: 2 })
  t.after(() => chest.close())
  const at = new Date('2020-01-01')
  const entries = entriesOf(aRecord({ timestamp: at.getTime() * 1_000 }), [['n', 1]])
  const foreign = [
    { _id: 'order', kind: 'order', at },
    { _id: 'list', kind: 'order', at, timestamp: 1, positions: [0, 1], values: {} },
    { _id: 'text', kind: 'order', at, timestamp: '2020', positions: { a: 0 }, values: { a: 1 } },
    { _id: 'null', kind: 'order', at, timestamp: 1, positions: null, values: null },
  ]
  const collection = client.db().collection<{ _id: string }>('tracked_variables')
  await collection.insertMany(foreign)
  assert.deepEqual([await chest.count(), await chest.oldest(9), await chest.find({}, 9)], [0, [], []])
  assert.deepEqual(await chest.find({ name: 'a' }, 9), [])
  assert.equal(await chest.remove(foreign.map(({ _id }) => `${_id}.0`)), 0)
  await chest.write(entries)
  await eventually(async () => (await collection.countDocuments({ _id: entries[0]!.record.id })) === 0)
  const left = await collection.find({}, { sort: { _id: 1 } }).toArray()
  assert.deepEqual(
    left,
    foreign.sort((one, other) => (one._id < other._id ? -1 : 1)),
  )
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
