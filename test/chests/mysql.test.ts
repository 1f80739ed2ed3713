import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mysql } from 'deedbox/chests'
import { createPool } from 'mysql2/promise'
import { chestConformance } from './conformance.ts'
import { aRecord, entriesOf } from './entries.ts'
import { admin, ask, ca, freshTable, mysqlHarness, skip, storedIn, url } from './mysql-harness.ts'
import { sqlFailureSuite } from './sql-failure-suite.ts'
import { type SqlServer, sqlServerSuite } from './sql-server-suite.ts'

const server: SqlServer = {
  name: 'MariaDB',
  skip,
  driver: 'mysql2',
  url,
  ca,
  open: mysql,
  onPool: (t, options) => {
    const pool = createPool({ uri: url, connectionLimit: 2 })
    t.after(() => pool.end())
    return {
      chest: mysql(pool, options),
      works: async () => (await pool.query('SELECT 1')).length === 2,
    }
  },
  freshTable,
  ask,
  storedIn,
  counted: 'int NOT NULL AUTO_INCREMENT PRIMARY KEY',
  memberOf: member => `JSON_VALUE(value_json, '$.${member}')`,
  overTls: async () => {
    const [row] = await ask("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")
    return Number(row?.Value)
  },
  breakConnections: async () => {
    const others = await ask('SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()')
    for (const { id } of others) await ask(`KILL ${id}`).catch(() => {})
  },
  refuseByTrigger: async (table, name) => {
    await ask(`CREATE TRIGGER refuse_${table} BEFORE INSERT ON ${table} FOR EACH ROW
IF NEW.name = '${name}' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not here'; END IF`)
  },
  hold: async (table, what) => {
    const connection = await admin.getConnection()
    // Otherwise it held the gap behind the rows, too.
    await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED')
    await connection.query('START TRANSACTION')
    await connection.query(
      what === 'rows' ? `SELECT 1 FROM ${table} FOR UPDATE` : `LOCK TABLES ${table} WRITE`,
    )
    return async () => {
      await connection.query('ROLLBACK')
      await connection.query('UNLOCK TABLES')
      connection.release()
    }
  },
}

chestConformance(mysqlHarness)
sqlServerSuite(server)
sqlFailureSuite(server)

const values = [
  'it’s 🦊',
  `it's "quoted" \\ here`,
  'x'.repeat(300),
  '1.50',
  '客\n\t',
  '\\',
  '🦊'.repeat(70_000),
]

test('FC-24 MariaDB chest: no sql_mode, zone or character set of a connection changes what is stored', {
  skip,
}, async t => {
  const [{ mode, zone } = {}] = await ask('SELECT @@GLOBAL.sql_mode AS mode, @@GLOBAL.time_zone AS zone')
  t.after(async () => {
    await ask(`SET GLOBAL sql_mode = '${mode}', GLOBAL time_zone = '${zone}'`)
  })
  const settings = ['', 'ANSI,NO_BACKSLASH_ESCAPES,TRADITIONAL,PAD_CHAR_TO_FULL_LENGTH']
  for (const [i, sqlMode] of settings.entries()) {
    await ask(`SET GLOBAL sql_mode = '${sqlMode}', GLOBAL time_zone = '${i === 0 ? '+05:45' : '-03:30'}'`)
    const pools = [
      createPool({
        uri: url,
        charset: 'latin1',
        namedPlaceholders: true,
        timezone: '+09:00',
        dateStrings: true,
      }),
      createPool({
        uri: url,
        charset: 'gbk',
        rowsAsArray: true,
        decimalNumbers: true,
        flags: ['-FOUND_ROWS'],
      }),
    ]
    t.after(() => Promise.all(pools.map(pool => pool.end())))
    const name = freshTable()
    const own = mysql(url, { name, tags: { 'a:b': ':c ? 🦊' } })
    t.after(() => own.close())
    const chests = [own, ...pools.map(pool => mysql(pool, { name }))]
    const records = []
    for (const chest of chests) {
      const record = aRecord({ route: '/it’s/:id?', error: 'no "such" \\ thing 🦊' })
      records.push(record)
      const entries = entriesOf(
        record,
        values.map((value, n) => [`n${n}`, value]),
      )
      await chest.write(entries)
      await chest.write(entries)
      assert.equal(await chest.count(), values.length * records.length)
    }
    const read = await own.oldest(100)
    assert.deepEqual(
      read.map(({ entry }) => entry.value),
      records.flatMap(() => values),
    )
    assert.deepEqual(
      read.map(({ entry }) => entry.record),
      records.flatMap(record => values.map(() => record)),
    )
    assert.deepEqual(read[0]?.tags, { 'a:b': ':c ? 🦊' })
    assert.deepEqual(
      (await storedIn(name)).map(({ timestamp }) => timestamp),
      records.flatMap(({ timestamp }) => values.map(() => timestamp)),
    )
    for (const chest of chests.slice(1)) {
      // Its answers could not be told from question marks.
      await assert.rejects(chest.oldest(1), { code: 'unavailable', message: /charset: 'utf8mb4'/ })
      assert.equal(await chest.lease('🦊', 60_000), true)
      await chest.release('🦊')
    }
  }
})

test('FC-24 MariaDB chest: a write is divided by max_allowed_packet, and what exceeds it alone is refused', {
  skip,
}, async t => {
  const [{ packet } = {}] = await ask('SELECT @@GLOBAL.max_allowed_packet AS packet')
  t.after(async () => {
    await ask(`SET GLOBAL max_allowed_packet = ${packet}`)
  })
  const name = freshTable()
  const chest = mysql(url, { name })
  t.after(() => chest.close())
  await chest.write(entriesOf(aRecord(), [['large', 'x'.repeat(5_000_000)]]))
  await ask('SET GLOBAL max_allowed_packet = 3145728')
  const smaller = mysql(url, { name })
  t.after(() => smaller.close())
  const megabytes = [
    'é'.repeat(500_000),
    'x'.repeat(1_000_000),
    '🦊'.repeat(250_000),
    `\\${'y'.repeat(1_000_000)}`,
  ]
  await smaller.write(
    entriesOf(
      aRecord(),
      [...megabytes, ...megabytes].map((value, n) => [`n${n}`, value]),
    ),
  )
  assert.equal(await smaller.count(), 9)
  const [first] = await smaller.find({ name: 'n0' }, 1)
  assert.equal(first?.entry.value, megabytes[0])
  await assert.rejects(smaller.write(entriesOf(aRecord(), [['too_large', 'x'.repeat(3_200_000)]])), {
    code: 'refused',
    message: `${smaller.id}: an entry is larger than the server's max_allowed_packet of 3145728 bytes.`,
  })
  assert.equal(await smaller.count(), 9)
})

test('FC-21 MySQL chest: a certificate is not asked of an IP address, which nobody would verify', () => {
  for (const host of ['127.0.0.1', '[::1]'])
    for (const tls of [true, { ca }])
      assert.throws(() => mysql(`mysql://root@${host}/vars`, { tls }), /mysql\(\): tls.*give the name/)
  assert.throws(() => mysql({ host: '10.0.0.1', database: 'vars', tls: true }), /mysql\(\): tls/)
  for (const tls of [false, { verify: false }]) mysql('mysql://root@127.0.0.1/vars', { tls })
})

test('FC-24 MySQL chest: a server that logs statements is told what to set', async () => {
  // A mock: the servers of the tests have no binary log.
  const logged = Object.assign(
    new Error('Cannot execute statement: impossible to write to binary log since BINLOG_FORMAT = STATEMENT'),
    { errno: 1665 },
  )
  const connection = {
    query: async ({ sql }: { sql: string }): Promise<[unknown, unknown]> => {
      if (sql.startsWith('INSERT')) throw logged
      return [[[16_777_216]], []]
    },
    release: () => {},
    destroy: () => {},
  }
  const chest = mysql({ getConnection: async () => connection })
  await assert.rejects(chest.write(entriesOf(aRecord(), [['n', 1]])), {
    code: 'unavailable',
    message: /Set binlog_format of the server to ROW or MIXED/,
  })
})
