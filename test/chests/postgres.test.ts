import assert from 'node:assert/strict'
import { test } from 'node:test'
import { postgres } from 'deedbox/chests'
import pg from 'pg'
import { guard } from '../servers/postgres.ts'
import { chestConformance } from './conformance.ts'
import { aRecord, entriesOf } from './entries.ts'
import { admin, ca, freshTable, postgresHarness, skip, storedIn, url } from './postgres-harness.ts'
import { silentProxy } from './silent-proxy.ts'
import { sqlFailureSuite } from './sql-failure-suite.ts'
import { type SqlServer, sqlServerSuite } from './sql-server-suite.ts'

const server: SqlServer = {
  name: 'PostgreSQL',
  skip,
  driver: 'pg',
  url,
  ca,
  open: postgres,
  onPool: (t, options) => {
    // Nobody listens to its errors.
    const pool = new pg.Pool({ connectionString: url, max: 2 })
    t.after(() => pool.end())
    return {
      chest: postgres(pool, options),
      works: async () =>
        (await pool.query('SELECT 1')).rows.length === 1 && pool.listenerCount('error') === 0,
    }
  },
  freshTable,
  ask: async sql => (await admin.query(sql)).rows,
  storedIn,
  counted: 'serial PRIMARY KEY',
  memberOf: member => `value_json ->> '${member}'`,
  overTls: async () => (await admin.query('SELECT 1 FROM pg_stat_ssl WHERE ssl')).rows.length,
  breakConnections: async () => {
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )
  },
  refuseByTrigger: async (table, name) => {
    await admin.query(`CREATE FUNCTION refuse_${table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF NEW.name = '${name}' THEN RAISE EXCEPTION 'not here'; END IF; RETURN NEW; END $$`)
    await admin.query(
      `CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse_${table}()`,
    )
  },
  hold: async (table, what) => {
    const client = await admin.connect()
    await client.query(
      `BEGIN; ${what === 'rows' ? `SELECT 1 FROM ${table} FOR UPDATE` : `LOCK TABLE ${table}`}`,
    )
    return async () => {
      await client.query('ROLLBACK')
      client.release()
    }
  },
}

chestConformance(postgresHarness)
sqlServerSuite(server)
sqlFailureSuite(server)

test('FC-24 PostgreSQL chest: it writes where transactions are serializable, and in a schema of the URL’s user', {
  skip,
}, async t => {
  const pool = new pg.Pool({
    connectionString: url,
    options: '-c default_transaction_isolation=serializable -c timezone=Asia/Kathmandu -c search_path=apart',
  })
  pool.on('error', () => {})
  t.after(() => pool.end())
  await admin.query('CREATE SCHEMA apart')
  const name = freshTable()
  const chests = [0, 1, 2, 3].map(() => postgres(pool, { name }))
  const record = aRecord()
  await Promise.all(
    chests.map(async (chest, i) => {
      await chest.count()
      await chest.write(entriesOf(aRecord({ timestamp: record.timestamp }), [['n', i]]))
    }),
  )
  const read = await chests[0]!.oldest(10)
  assert.deepEqual(
    read.map(({ entry }) => entry.timestamp),
    [0, 1, 2, 3].map(() => record.timestamp),
  )
  assert.equal((await admin.query(`SELECT * FROM apart.${name}`)).rows.length, 4)
  assert.deepEqual(await storedIn(name), [])
})

test('FC-21 PostgreSQL chest: a certificate is trusted for its own addresses only', { skip }, async t => {
  const proxy = await silentProxy(t, Number(new URL(url).port), '127.0.0.2')
  const elsewhere = url.replace(/127\.0\.0\.1:\d+/, `127.0.0.2:${proxy.port}`)
  const chest = postgres(elsewhere, { name: freshTable(), tls: { ca } })
  t.after(() => chest.close())
  const [problem] = await chest.check()
  assert.match(problem?.message ?? '', /127\.0\.0\.2 is not in the cert/)
})

test('FC-24 PostgreSQL chest: indexes of long names are of their own table', { skip }, async t => {
  const names = ['a', 'b'].map(end => `${freshTable()}_${'x'.repeat(50)}`.slice(0, 60) + end)
  const chests = names.map(name => postgres(url, { name }))
  t.after(() => Promise.all(chests.map(chest => chest.close())))
  for (const chest of chests) {
    const entries = entriesOf(aRecord(), [['n', 1]])
    await chest.write(entries)
    await chest.write(entries)
    assert.equal(await chest.count(), 1)
  }
})

test('FC-24 PostgreSQL chest: a user that may not create a table writes to one that is there', {
  skip,
}, async t => {
  const name = freshTable()
  const theirs = new URL(url)
  theirs.username = guard.user
  theirs.password = guard.password
  const chest = postgres(theirs, { name })
  t.after(() => chest.close())
  const entries = entriesOf(aRecord(), [['n', 1]])
  await assert.rejects(chest.write(entries), { code: 'unavailable', message: /permission denied for schema/ })
  assert.match((await chest.check())[0]?.message ?? '', /permission denied/)
  const owner = postgres(url, { name })
  t.after(() => owner.close())
  assert.deepEqual(await owner.check(), [])
  assert.match((await chest.check())[0]?.message ?? '', /permission denied for table/)
  await admin.query(`GRANT INSERT, SELECT ON ${name} TO ${guard.user}`)
  assert.deepEqual(await chest.check(), [])
  await chest.write(entries)
  assert.equal((await storedIn(name)).length, 1)
})

test('FC-24 PostgreSQL chest: where the keys lag behind the rows, as after a restore, nothing is lost', {
  skip,
}, async t => {
  const name = freshTable()
  const chest = postgres(url, { name })
  t.after(() => chest.close())
  await chest.write(entriesOf(aRecord(), [['n', 0]]))
  await admin.query(
    `INSERT INTO ${name} (unique_id, request_id, name, value) SELECT g, 'old', 'old', g FROM generate_series(2, 20) AS g`,
  )
  await chest.write(entriesOf(aRecord(), [['n', 1]]))
  assert.equal(await chest.count(), 21)
  // Who may not set the sequence right waits until somebody does.
  await admin.query(`GRANT INSERT, SELECT ON ${name} TO ${guard.user}`)
  await admin.query(`ALTER TABLE ${name} ALTER COLUMN unique_id RESTART WITH 1`)
  const theirs = new URL(url)
  theirs.username = guard.user
  theirs.password = guard.password
  const waiting = postgres(theirs, { name })
  t.after(() => waiting.close())
  await assert.rejects(waiting.write(entriesOf(aRecord(), [['n', 2]])), { code: 'unavailable' })
})
