import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPool } from 'mysql2'
import pg from 'pg'
import { mysql } from './mysql.ts'
import { postgres } from './postgres.ts'
import { addressOf, connectionIn } from './server-connection.ts'

const urls = { schemes: ['postgres'], port: 5432, parameters: ['options'] }
const read = (url: string, tls?: boolean) => connectionIn('postgres()', url, urls, { tls })

test('a URL of a server is read as it is written', () => {
  assert.deepEqual(
    read('postgres://us%40er:p%3A%2Fw%23@db.example/va%20rs?sslmode=require&options=-c%20a%3Db'),
    {
      ...{ host: 'db.example', port: 5432, user: 'us@er', password: 'p:/w#', database: 'va rs' },
      tls: true,
      parameters: { options: '-c a=b' },
    },
  )
  const bare = read('postgres://[::1]:1234')
  assert.deepEqual([bare.host, bare.port, bare.database, bare.tls], ['::1', 1234, undefined, false])
  assert.equal(addressOf('postgres', bare), 'postgres://[::1]:1234/')
  assert.equal(read('postgres:///vars').host, 'localhost')
})

test('FC-21 whatever way a URL asks for TLS, the certificate is verified unless it says otherwise', () => {
  const modes = [
    'require',
    'verify-ca',
    'verify-full',
    'VERIFY_IDENTITY',
    'true',
    '{"rejectUnauthorized": true}',
  ]
  for (const mode of modes)
    assert.equal(read(`postgres://h/d?ssl-mode=${encodeURIComponent(mode)}`).tls, true)
  for (const mode of ['disable', 'DISABLED', 'false'])
    assert.equal(read(`postgres://h/d?ssl=${mode}`).tls, false)
  assert.deepEqual(read('postgres://h/d?sslmode=no-verify').tls, { verify: false })
  assert.deepEqual(read('postgres://h/d?ssl={"rejectUnauthorized":false}').tls, { verify: false })
  assert.equal(read('postgres://h/d?sslmode=disable', true).tls, true)
  // What comes unencrypted where the server would rather have it so is no answer.
  assert.throws(() => read('postgres://h/d?sslmode=prefer'), { setting: 'postgres(): url' })
})

test('FC-23 options that cannot work are told by name when the chest is made, and no password with them', () => {
  const wrong: [() => unknown, string][] = [
    [() => postgres('postgres://u:s3cret@h:99999/d'), 'postgres(): url'],
    [() => postgres('s3cret'), 'postgres(): url'],
    [() => postgres('mysql://u:s3cret@h/d'), 'postgres(): url'],
    [() => postgres('postgres://u:s3cret@h/d?nonsense=1'), 'postgres(): url'],
    [() => postgres('postgres://u:s3cret%@h/d'), 'postgres(): url'],
    [() => postgres('postgres://h/d', { name: 'x; drop table y' }), 'postgres(): name'],
    [() => postgres('postgres://h/d', { retentionDays: 0 }), 'postgres(): retentionDays'],
    [() => postgres('postgres://h/d', { timeout: 1 }), 'postgres(): timeout'],
    [
      () => postgres('postgres://h/d', { tls: { rejectUnauthorized: false } as never }),
      'postgres(): tls.rejectUnauthorized',
    ],
    [() => postgres('postgres://h/d', { tls: 'yes' as never }), 'postgres(): tls'],
    [() => postgres('postgres://h/d', { host: 'h' } as never), 'postgres(): host'],
    [() => postgres({ host: '' }), 'postgres(): host'],
    [() => postgres({ port: 'x' }), 'postgres(): port'],
    [() => postgres({ user: 's3cret' }, {}), 'postgres()'],
    [() => postgres({ query: () => {} } as never), 'postgres()'],
    [() => postgres(undefined as never), 'postgres()'],
    [() => postgres(new pg.Client() as never), 'postgres()'],
    [() => mysql(createPool({}) as never), 'mysql()'],
    [() => postgres({ connect: async () => ({}) as never }, { tls: true }), 'postgres(): tls'],
    [() => mysql('mysql://u:s3cret@h'), 'mysql(): database'],
    [() => mysql('postgres://u:s3cret@h/d'), 'mysql(): url'],
    [() => mysql({ database: 'd', customtags: {} } as never), 'mysql(): customtags'],
    [() => mysql({ database: 7 } as never), 'mysql(): database'],
  ]
  for (const [make, setting] of wrong)
    assert.throws(make, (error: Error & { code?: string; setting?: string }) => {
      assert.equal(error.code, 'invalid_configuration')
      assert.equal(error.setting, setting)
      assert(!error.message.includes('s3cret'), error.message)
      return true
    })
})

test('FC-15 a chest is called by its table, and its address has neither user nor password', async t => {
  const chests = [
    postgres('postgresql://u:s3cret@h/d'),
    postgres({ host: 'h', port: '5433', user: 'u', password: 's3cret', database: 'd', name: 'vars' }),
    mysql(new URL('mariadb://u:s3cret@h/d'), { name: 'vars', durable: true, batch: 7, logger: null }),
  ]
  t.after(() => Promise.all(chests.map(chest => chest.close())))
  assert.deepEqual(
    chests.map(({ id, address }) => [id, address]),
    [
      ['PostgreSQL(name=tracked_variables)', 'postgres://h:5432/d'],
      ['PostgreSQL(name=vars)', 'postgres://h:5433/d'],
      ['MySQL(name=vars)', 'mysql://h:3306/d'],
    ],
  )
  const { durable, batch } = chests[2]?.queue ?? {}
  assert.deepEqual([durable, batch], [true, 7])
})
