import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ReadableChest, ServerOptions, SqlChestOptions } from 'deedbox/chests'
import type { Stored } from './chest-harness.ts'
import { aRecord, entriesOf, eventually, writeUntilTaken } from './entries.ts'

/** How the suite knows one kind of SQL server. */
export interface SqlServer {
  readonly name: string
  readonly skip: string | false
  /** The package that has its driver. */
  readonly driver: string
  readonly url: string
  /** The certificate of the server. */
  readonly ca: string
  open(place: string | ServerOptions, options?: SqlChestOptions & Pick<ServerOptions, 'tls'>): ReadableChest
  /** A chest on a pool of the caller, and what shows that this is still open. */
  onPool(
    t: TestContext,
    options: SqlChestOptions,
  ): { readonly chest: ReadableChest; works(): Promise<boolean> }
  freshTable(): string
  /** Asks the server from outside of any chest. */
  ask(sql: string): Promise<Record<string, unknown>[]>
  storedIn(table: string): Promise<Stored[]>
  /** The type of the key of a table that counts by itself. */
  readonly counted: string
  /** An expression of a member of `value_json`, as text. */
  memberOf(member: string): string
  /** How many are, or were, connected over TLS. */
  overTls(): Promise<number>
  /** Ends all connections but its own. */
  breakConnections(): Promise<void>
  /** Makes a trigger of the table refuse what has this name. */
  refuseByTrigger(table: string, name: string): Promise<void>
  /** Keeps everybody else from a table, or from the rows that it has, until what it resolves to is called. */
  hold(table: string, what: 'table' | 'rows'): Promise<() => Promise<void>>
}

/** Tables of a database server, beside what holds for all chests. */
export function sqlServerSuite(server: SqlServer): void {
  const { skip, url, open, ask } = server
  const title = (rows: string, text: string): string => `${rows} ${server.name} chest: ${text}`

  test(title('FC-22', 'a table of the original gets what it lacks, and its rows are read'), {
    skip,
  }, async t => {
    const name = server.freshTable()
    await ask(`CREATE TABLE ${name} (unique_id ${server.counted}, request_id text, name text, value text)`)
    await ask(`INSERT INTO ${name} (request_id, name, value) VALUES ('old', 'a', '1'), ('old', 'b', NULL)`)
    const chests = Array.from({ length: 4 }, () => open(url, { name }))
    t.after(() => Promise.all(chests.map(chest => chest.close())))
    await Promise.all(chests.map((chest, i) => chest.write(entriesOf(aRecord(), [['n', i]]))))
    const before = Date.now() * 1_000
    const [a, b, ...others] = await chests[0]!.oldest(10)
    assert.deepEqual([...a!.entry, ...b!.entry], ['a', '1', 'old', 'b', null, 'old'])
    assert.equal(others.length, 4)
    const again = await chests[1]!.find({ requestId: 'old' }, 10)
    assert.deepEqual(
      again.map(({ entry }) => [entry.id, entry.timestamp]),
      [a!, b!].map(({ entry }) => [entry.id, entry.timestamp]),
    )
    assert.notEqual(a!.entry.record.id, b!.entry.record.id)
    assert.notEqual(a!.entry.timestamp, b!.entry.timestamp)
    assert(Math.abs(a!.entry.timestamp - before) < 600_000_000)
    await ask(`INSERT INTO ${name} (request_id, name, value) VALUES ('new', 'c', 'by another program')`)
    assert.equal((await chests[2]!.find({ name: 'c' }, 1))[0]?.entry.value, 'by another program')
  })

  test(title('FC-22', 'a table of another program is left as it is'), { skip }, async t => {
    const name = server.freshTable()
    await ask(`CREATE TABLE ${name} (id int)`)
    const chest = open(url, { name })
    t.after(() => chest.close())
    await assert.rejects(chest.write(entriesOf(aRecord(), [['n', 1]])), {
      code: 'unavailable',
      message: `${chest.id}: the table ${name} is another program's: it has no column unique_id, request_id, name, value`,
    })
    assert.equal((await chest.check()).length, 1)
    await ask(`INSERT INTO ${name} VALUES (1)`)
    assert.deepEqual(await ask(`SELECT * FROM ${name}`), [{ id: 1 }])
  })

  test(title('FC-24', 'lists and objects stand in a column that the server can look into'), {
    skip,
  }, async t => {
    const name = server.freshTable()
    const chest = open(url, { name })
    t.after(() => chest.close())
    await chest.write(
      entriesOf(aRecord(), [
        ['order', { id: 'o-1 🦊', lines: [1, 2] }],
        ['list', [{ id: 'o-2' }]],
        ['text', '{"id":"no"}'],
        ['number', 7],
        ['nul', { id: 'a\0' }],
      ]),
    )
    const rows =
      await ask(`SELECT name, ${server.memberOf('id')} AS id FROM ${name} WHERE value_json IS NOT NULL
      ORDER BY unique_id`)
    assert.deepEqual(
      rows.slice(0, 2).map(row => ({ ...row })),
      [
        { name: 'order', id: 'o-1 🦊' },
        { name: 'list', id: null },
      ],
    )
    assert(rows.every(row => row.name !== 'text' && row.name !== 'number'))
    assert.deepEqual((await server.storedIn(name)).at(-1)?.value, { id: 'a\0' })
  })

  test(title('FC-24', 'what is too old goes, in portions, and nothing else'), { skip }, async t => {
    const name = server.freshTable()
    const first = open(url, { name })
    t.after(() => first.close())
    const many = Array.from({ length: 1_500 }, (_, i) => [`n${i}`, i] as const)
    const yesterday = (Date.now() - 86_400_000) * 1_000
    await first.write(entriesOf(aRecord({ timestamp: yesterday }), [['young', 1]]))
    await first.write(entriesOf(aRecord({ timestamp: Date.UTC(2020, 0) * 1_000 }), many))
    await ask(`INSERT INTO ${name} (request_id, name, value) VALUES ('r', 'timeless', '1')`)
    assert.equal(await first.count(), 1_502)
    const chest = open(url, { name, retentionDays: 7 })
    t.after(() => chest.close())
    await chest.write(entriesOf(aRecord({ timestamp: yesterday }), [['second', 2]]))
    await eventually(async () => (await first.count()) === 503)
    // The first portion was full, so that the next write brings the next one.
    await eventually(async () => {
      await chest.write(entriesOf(aRecord({ timestamp: yesterday }), [['third', 3]]))
      return !(await server.storedIn(name)).some(entry => /^n\d/.test(entry.name))
    })
    const names = new Set((await server.storedIn(name)).map(entry => entry.name))
    assert.deepEqual([...names], ['young', 'timeless', 'second', 'third'])
  })

  test(title('FC-22', 'rows without a time go with the table’s adoption, later ones never'), {
    skip,
  }, async () => {
    const name = server.freshTable()
    const original = async (...ids: string[]) => {
      await ask(`CREATE TABLE ${name} (unique_id ${server.counted}, request_id text, name text, value text)`)
      await byAnother(...ids)
    }
    const byAnother = (...ids: string[]) =>
      ask(`INSERT INTO ${name} (request_id, name, value) VALUES ${ids.map(id => `('${id}', 'v', '1')`)}`)
    const names = async () => (await ask(`SELECT request_id FROM ${name}`)).map(row => String(row.request_id))
    /** Writes until its time has come once. */
    const expire = async (requestId: string) => {
      const chest = open(url, { name, retentionDays: 30 })
      await chest.write(entriesOf(aRecord({ requestId, timestamp: Date.now() * 1_000 }), [['n', 1]]))
      await chest.close()
    }
    await original('old', 'older')
    await expire('first')
    assert.deepEqual(await names(), ['old', 'older', 'first'])
    const age = () => ask(`UPDATE deedbox_chests SET adopted_at = '2020-01-01' WHERE chest = '${name}'`)
    await age()
    await byAnother('fresh')
    await expire('second')
    assert.deepEqual(await names(), ['first', 'fresh', 'second'])
    // A table that is made anew counts from the beginning.
    await ask(`DROP TABLE ${name}`)
    await original('new')
    await expire('third')
    assert.deepEqual(await names(), ['new', 'third'])
    // What an earlier version kept says nothing of keys.
    await ask('ALTER TABLE deedbox_chests DROP COLUMN adopted_key')
    await age()
    await expire('fourth')
    assert.deepEqual(await names(), ['new', 'third', 'fourth'])
  })

  test(title('FC-23', 'half a surrogate pair is shown by its sign, wherever it stands'), {
    skip,
  }, async t => {
    const name = server.freshTable()
    const chest = open(url, { name, tags: { own: '\udfff', '\ud800': 'own' } })
    t.after(() => chest.close())
    const record = aRecord({ requestId: 'r\ud800', route: '\udc00', tags: { brought: '\ud83e' } })
    await chest.write(
      entriesOf(record, [
        ['text\ud800', 'a\ud800b'],
        ['list', ['a\ud800', '\\ud800', '🦊', '\\\ud800']],
        ['object', { 'k\udfff': { deep: '\udc00\ud800' } }],
      ]),
    )
    const stored = await chest.oldest(3)
    assert.deepEqual(
      stored.map(({ entry }) => [entry.name, entry.value]),
      [
        ['text\ufffd', 'a\ufffdb'],
        ['list', ['a\ufffd', '\\ud800', '🦊', '\\\ufffd']],
        ['object', { 'k\ufffd': { deep: '\ufffd\ufffd' } }],
      ],
    )
    assert.equal(stored[0]?.entry.requestId, 'r\ufffd')
    assert.deepEqual(stored[0]?.tags, { own: '\ufffd', '\ufffd': 'own', brought: '\ufffd' })
    const asJson = await ask(`SELECT name FROM ${name} WHERE value_json IS NOT NULL`)
    assert.equal(asJson.length, 2)
  })

  test(title('FC-24', 'a pool of the caller stays open, and broken connections end nothing'), {
    skip,
  }, async t => {
    const name = server.freshTable()
    const { chest, works } = server.onPool(t, { name })
    const own = open(url, { name })
    t.after(() => own.close())
    for (const each of [chest, own]) await each.write(entriesOf(aRecord(), [['n', 1]]))
    assert.equal(await chest.lease('me', 60_000), true)
    await server.breakConnections()
    for (const each of [chest, own]) await writeUntilTaken(each, entriesOf(aRecord(), [['n', 2]]))
    await chest.close()
    await assert.rejects(chest.write(entriesOf(aRecord(), [['n', 3]])), { code: 'unavailable' })
    assert.equal(await works(), true)
    assert.deepEqual(
      (await server.storedIn(name)).map(({ value }) => value),
      [1, 1, 2, 2],
    )
  })

  test(title('FC-21', 'a certificate that was given is trusted'), { skip }, async t => {
    const name = server.freshTable()
    const byUrl = open(url, { name, tls: { ca: server.ca } })
    const { hostname, port, username: user, pathname } = new URL(url)
    const byOptions = open({
      ...{ host: hostname, port, user, database: pathname.slice(1), name },
      tls: { ca: server.ca },
    })
    t.after(() => Promise.all([byUrl.close(), byOptions.close()]))
    const before = await server.overTls()
    for (const chest of [byUrl, byOptions]) await chest.write(entriesOf(aRecord(), [['n', 1]]))
    assert((await server.overTls()) >= before + 2)
    assert.equal((await server.storedIn(name)).length, 2)
  })

  test(title('FC-21', 'a certificate is trusted for its own names only'), { skip }, async t => {
    const name = server.freshTable()
    // The same server by a name that is none of the certificate's, and no IP address to the drivers either.
    const place = url.replace(/@[^:]+:/, '@127.1:')
    const chests = [true, false].map(verify => open(place, { name, tls: { ca: server.ca, verify } }))
    t.after(() => Promise.all(chests.map(chest => chest.close())))
    const [problem] = await chests[0]!.check()
    assert.match(problem?.message ?? '', /127\.1\.? is not in the cert/)
    await assert.rejects(chests[0]!.write(entriesOf(aRecord(), [['n', 1]])), { code: 'unavailable' })
    assert.deepEqual(await server.storedIn(name), [])
    assert.deepEqual(await chests[1]!.check(), [])
  })
}
