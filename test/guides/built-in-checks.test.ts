import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import * as health from 'deedbox/health'
import { createConnection } from 'mysql2/promise'
import { run } from '../end-to-end/ledger-process.ts'
import { mariadb } from '../servers/mariadb.ts'
import { ferretdb, mongod } from '../servers/mongodb.ts'
import { postgres } from '../servers/postgres.ts'
import { redisServer } from '../servers/redis.ts'
import { serverFor } from '../servers/running-server.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/built-in-checks.md')
const server = onFreePort(page.fence('// server.ts'))
const answered = page.fence('"check_log"')
const more = page.fence('// more-checks.ts')

const servers = {
  postgres: await serverFor(postgres),
  mariadb: await serverFor(mariadb),
  mongo: await serverFor(mongod, ferretdb()),
  redis: await serverFor(redisServer()),
}
const skip = Object.values(servers).find(found => found.skip !== false)?.skip ?? false

/** The variables of the page's files, which lead to real servers. */
async function places(t: TestContext): Promise<Record<string, string>> {
  const port = (name: keyof typeof servers): number => {
    const found = servers[name]
    assert(found.skip === false)
    return found.server.port
  }
  const search = createServer((_, response) => void response.end('{}')).listen(0, '127.0.0.1')
  await once(search, 'listening')
  t.after(() => {
    search.close()
    search.closeAllConnections()
  })
  const admin = await createConnection({ host: '127.0.0.1', port: port('mariadb'), user: 'root' })
  await admin.query('CREATE DATABASE IF NOT EXISTS stock')
  await admin.end()
  return {
    POSTGRES_URL: `postgres://postgres@127.0.0.1:${port('postgres')}/postgres`,
    MYSQL_URL: `mysql://root@127.0.0.1:${port('mariadb')}/stock`,
    MONGO_URL: `mongodb://127.0.0.1:${port('mongo')}/reviews`,
    REDIS_URL: `redis://127.0.0.1:${port('redis')}`,
    SEARCH_URL: `http://127.0.0.1:${(search.address() as AddressInfo).port}`,
    SEARCH_KEY: 'search-key',
  }
}

test('sample 91, DF-24 DF-25 DF-27 DF-28, guide, built-in checks: connections are handed over, names are the standard ones', {
  skip,
}, async t => {
  // The machine's own disk may be fuller than the page's levels allow.
  const file = replaceOnce(server, "warning: '20%', error: '1 GB'", 'warning: 1, error: 1')
  const folder = await snippetFolder(t, 'express-5', { 'server.ts': file })
  const running = await startService(t, folder.runnable('server.ts'), { env: await places(t) })
  const { status, body } = await running.call('GET', '/__heartbeat__')
  assert.deepEqual([status, JSON.parse(body)], [200, JSON.parse(answered)], running.rest())
  const redis = servers.redis
  assert(redis.skip === false)
  await redis.server.halt()
  page.says('`false` for what the service can work without: then `/__heartbeat__` alone shows it')
  let code = 200
  while (code === 200) code = (await running.call('GET', '/__heartbeat__')).status
  assert.equal((await running.call('GET', '/__readiness__')).status, 200)
  await redis.server.start()
})

test('sample 91, DF-27, guide, built-in checks: clients and callbacks are taken as well', {
  skip,
}, async t => {
  const folder = await snippetFolder(t, 'express-5', {
    'more-checks.ts': more,
    'run.ts': `import { checks, close } from './more-checks.ts'
for (const { name, run } of checks) console.log(name, await run(new AbortController().signal))
await close()
process.exit()
`,
  })
  const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('run.ts')], {
    env: cleanEnv(await places(t)),
    cwd: folder.path,
  })
  assert.deepEqual(
    [code, stdout.trimEnd().split('\n')],
    [
      0,
      [
        'check_redis_connected []',
        'check_listener_connected []',
        'check_database_connected []',
        'check_search_answers []',
      ],
    ],
    stderr,
  )
})

test('DF-28, guide, built-in checks: the table has the names of the checks, and no other', () => {
  const anything = { query() {}, prepare() {}, command() {}, ping() {}, on() {}, off() {} } as never
  const checks = {
    postgres: health.postgres(anything),
    mysql: health.mysql(anything),
    sqlite: health.sqlite(anything),
    mongo: health.mongo(anything),
    redis: health.redis(anything),
    http: health.http('http://search:9200'),
    diskSpace: health.diskSpace('/'),
    eventLoopDelay: health.eventLoopDelay(),
  }
  const rows = [...page.text.matchAll(/^\| `(\w+)` \| .* \| `(check_\w+)`( and the host)? \|/gm)]
  assert.deepEqual(
    rows.map(([, maker, name, host]) => [maker, host === undefined ? name : `${name}search:9200`]),
    Object.entries(checks).map(([maker, { name }]) => [maker, name]),
  )
})

everyBlockIsTested(page)
