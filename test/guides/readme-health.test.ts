import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { postgres } from '../servers/postgres.ts'
import { redisServer } from '../servers/redis.ts'
import { serverFor } from '../servers/running-server.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const health = new Page('README.md', '## Health')
const added = health.fence('// in the service above, before app.use(observe(box))')
const service = new Page('README.md', '## In a service').fence("import express from 'express'")
const [database, cache] = [await serverFor(postgres), await serverFor(redisServer())]

test('sample 77, DF-01 DF-06 DF-28 X-18 README: these lines give a service all endpoints', {
  skip: database.skip || cache.skip,
}, async t => {
  assert(database.skip === false && cache.skip === false)
  const own = `import { Redis } from 'ioredis'
import pg from 'pg'

const pool = new pg.Pool({ host: '127.0.0.1', port: ${database.server.port}, user: 'postgres' })
const client = new Redis({ host: '127.0.0.1', port: ${cache.server.port} })
`
  const whole = replaceOnce(service, 'app.use(observe(box))', `${added}\napp.use(observe(box))`)
  const folder = await snippetFolder(t, 'express-5', { 'app.ts': own + onFreePort(whole, '3000') })
  const version = '{"source":"https://git.example/shop","version":"1.2.0","commit":"52ce614","build":""}'
  writeFileSync(join(folder.path, 'version.json'), version)
  const running = await startService(t, folder.runnable('app.ts'), { env: { APP_DIR: folder.path } })
  const [live, ready, known] = await Promise.all(
    ['/__lbheartbeat__', '/__readiness__', '/__version__'].map(path => running.call('GET', path)),
  )
  assert.deepEqual([live?.status, live?.body], [200, ''])
  assert.deepEqual(
    [ready?.status, JSON.parse(ready?.body ?? '')],
    [200, { status: 'ok', checks: { check_database_connected: 'ok', check_redis_connected: 'ok' } }],
  )
  assert.deepEqual(JSON.parse(known?.body ?? ''), JSON.parse(version))
  const heartbeat = JSON.parse((await running.call('GET', '/__heartbeat__')).body)
  health.says('`/__heartbeat__`, which also shows what Deedbox itself has to say')
  assert.partialDeepStrictEqual(heartbeat.checks, { check_redis_connected: 'ok', check_log: 'ok' })
  assert.equal((await running.call('POST', '/checkout')).status, 200)
})

everyBlockIsTested(health)
