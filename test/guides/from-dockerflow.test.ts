import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { until } from '../../packages/deedbox/src/testing/ledger-stand-in.ts'
import { postgres } from '../servers/postgres.ts'
import { redisServer } from '../servers/redis.ts'
import { serverFor } from '../servers/running-server.ts'
import { everyBlockIsTested, Page, replaceOnce } from './page.ts'
import { startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/from-dockerflow.md')
const app = page.fence('// app.ts')
const given = page.fence('docker run')
const ownStorage = page.fence('// storage.ts')
const slow = JSON.parse(page.fence('"acme.health.0002"')) as Report
const [database, cache] = [await serverFor(postgres), await serverFor(redisServer())]

interface Report {
  readonly status: string
  readonly checks: Readonly<Record<string, string>>
  readonly details: Readonly<Record<string, { readonly messages: Readonly<Record<string, string>> }>>
}

interface MozlogLine {
  readonly Logger: string
  readonly Fields: Readonly<Record<string, unknown>>
}

/** What the page leaves out: the checks of this package's own parts, which all pass. */
function withoutOwn({ checks, ...report }: Report): Report {
  const others = Object.entries(checks).filter(([name, status]) => {
    const isOwn = /^check_(log|outbox|ledger|chest .*|\w*export\w*)$/.test(name)
    if (isOwn) assert.equal(status, 'ok', name)
    return !isOwn
  })
  return { ...report, checks: Object.fromEntries(others) }
}

/** A storage that answers as a file says. */
const storage = `import { readFileSync } from 'node:fs'
export class SlowConnection extends Error {}
export const storage = {
  async ping(): Promise<void> {
    const state = readFileSync('storage.state', 'utf8')
    if (state === 'slow') throw new SlowConnection('The storage took 900 ms.')
    if (state === 'dead') throw new Error('secret of the storage')
  },
}
`

async function aService(t: TestContext, source: string, storageFile = storage) {
  assert(database.skip === false && cache.skip === false)
  const folder = await snippetFolder(t, 'express-5', {
    'app.ts': replaceOnce(source, "details: 'always',", "details: 'always',\n    cache: 0,"),
    'storage.ts': storageFile,
  })
  writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder.path, 'acme_version.json'), '{"version":"2017.11.0"}')
  const storageIs = (state: string) => writeFileSync(join(folder.path, 'storage.state'), state)
  storageIs('well')
  const service = await startService(t, folder.runnable('app.ts'), {
    env: {
      PORT: '0',
      DATABASE_URL: `postgres://postgres@127.0.0.1:${database.server.port}/postgres`,
      REDIS_URL: `redis://127.0.0.1:${cache.server.port}`,
    },
  })
  const heartbeat = async (): Promise<[number, Report]> => {
    const { status, body } = await service.call('GET', '/__heartbeat__')
    return [status, JSON.parse(body) as Report]
  }
  return { service, storageIs, heartbeat }
}

const skip = database.skip || cache.skip

test('samples 77, 89 to 95 and 97, DF-01 DF-04 DF-08 DF-25 DF-27 DF-28 DF-30, guide, from Dockerflow: the samples of the original', {
  skip,
}, async t => {
  const { service, storageIs, heartbeat } = await aService(t, app)
  page.says("Names and ids are the original's: `check_database_connected`")
  while ((await heartbeat())[1].status !== 'ok') await setTimeout(20)
  assert.equal((await service.call('GET', '/__version__')).body, '{"version":"2017.11.0"}')
  storageIs('slow')
  const [status, report] = await heartbeat()
  assert.equal(status, 200)
  assert.deepEqual(withoutOwn(report), slow)
  const hello = await service.call('GET', '/', { headers: { 'x-request-id': 'r-1' } })
  assert.equal(hello.body, 'Hello from r-1')
  const line = async (holding: string): Promise<MozlogLine> => {
    const found = () =>
      service
        .stdout()
        .split('\n')
        .find(text => text.includes(holding))
    await until(() => found() !== undefined)
    return JSON.parse(found()!) as MozlogLine
  }
  const summary = await line('"request.summary"')
  assert.equal(summary.Logger, 'myproject')
  assert.partialDeepStrictEqual(summary.Fields, { rid: 'r-1', path: '/', method: 'GET' })
  storageIs('dead')
  const [failed, dead] = await heartbeat()
  assert.equal(failed, 500)
  assert.deepEqual(dead.details.storage_reachable?.messages, {
    'acme.health.0001': 'The storage does not answer.',
  })
  assert.equal((await line('heartbeat failed')).Fields.level, 40)
  assert(!service.stdout().includes('secret of the storage'))
  storageIs('well')
  assert(cache.skip === false)
  await cache.server.halt()
  const [down, without] = await heartbeat()
  assert.equal(down, 500)
  assert.equal(without.checks.check_redis_connected, 'error')
  assert(
    Object.keys(without.details.check_redis_connected?.messages ?? {}).includes('dockerflow.health.E004'),
  )
  assert.equal((await service.call('GET', '/__lbheartbeat__')).status, 200)
  await cache.server.start()
  while ((await heartbeat())[0] !== 200) await setTimeout(20)
})

test("sample 93, DF-08, guide, from Dockerflow: a warning fails as the original's page says", {
  skip,
}, async t => {
  page.says("`failLevel: 'warning'` does what the page says.")
  const strict = replaceOnce(
    app,
    "    details: 'always',",
    "    failLevel: 'warning',\n    details: 'always',",
  )
  const { storageIs, heartbeat } = await aService(t, strict)
  storageIs('slow')
  assert.equal((await heartbeat())[0], 500)
})

test('samples 77 and 94, DF-01, guide, from Dockerflow: with what the page gives the service is well', {
  skip,
}, async t => {
  const { service, heartbeat } = await aService(t, app, ownStorage)
  assert.deepEqual(
    [...given.matchAll(/(\w+_URL)=/g)].map(([, name]) => name),
    ['DATABASE_URL', 'REDIS_URL'],
  )
  const [, file = ''] = /echo '(.*)' > acme_version\.json/.exec(given) ?? []
  assert.equal((await service.call('GET', '/__version__')).body, file)
  while ((await heartbeat())[0] !== 200) await setTimeout(20)
  assert.equal((await heartbeat())[1].status, 'ok')
})

everyBlockIsTested(page)
