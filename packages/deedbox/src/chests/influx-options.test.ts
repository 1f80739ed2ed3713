import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { ConfigurationError } from '../safety/index.ts'
import { influx } from './influx.ts'
import type { InfluxOptions } from './influx-options.ts'
import { influxPlace } from './influx-place.ts'

function isAbout(setting: string): (error: unknown) => boolean {
  return error => {
    assert(error instanceof ConfigurationError)
    assert.equal(error.setting, setting)
    assert(!error.message.includes('s3cret'), error.message)
    return true
  }
}

test('FC-16 without options it writes to localhost, as the original did', async () => {
  const chest = influx()
  assert.equal(chest.id, 'InfluxDB(name=my-bucket)')
  assert.equal(chest.address, 'http://localhost:8086/api/v2/write?org=my-org&bucket=my-bucket&precision=ns')
  assert.equal(chest.logger, undefined)
  assert.equal(String(influx({ logger: null, customTags: {} }).logger), 'undefined')
  await chest.close()
})

test('FC-16 both spellings give the same URL to write to', () => {
  const pairs: [InfluxOptions, string | InfluxOptions][] = [
    [{}, 'http://localhost:8086'],
    [{ https: true, host: 'db.example', port: 443 }, 'https://db.example'],
    [
      { host: 'db.example', port: '9999', org: 'a b', bucket: 'c/d' },
      'http://db.example:9999/?org=a%20b&bucket=c%2Fd',
    ],
    [{ host: '::1', token: 's3cret' }, 'http://[::1]:8086?token=s3cret'],
    [
      { org: 'shop', bucket: 'vars' },
      { url: 'http://localhost:8086', org: 'shop', bucket: 'vars' },
    ],
    [{ database: 'd', token: 'me:s3cret' }, 'http://me:s3cret@localhost:8086?database=d'],
    [{ database: 'd', retentionPolicy: 'week' }, 'http://localhost:8086?database=d&retentionPolicy=week'],
  ]
  for (const [parts, url] of pairs) {
    const whole = typeof url === 'string' ? { url } : url
    assert.deepEqual(influxPlace(parts), influxPlace(whole))
    assert.equal(influx(parts).address, influx(url).address)
    assert(!JSON.stringify([influx(parts).address, influx(url).id]).includes('s3cret'))
  }
  assert.equal(
    influx('http://proxy.example/influx/').address,
    'http://proxy.example/influx/api/v2/write?org=my-org&bucket=my-bucket&precision=ns',
  )
  assert.equal(influx('http://localhost:8086', { database: 'd' }).id, 'InfluxDB(name=d)')
  assert.equal(influx({ name: 'vars' }).id, 'InfluxDB(name=vars)')
})

test('FC-16 who writes is said as each version has it', () => {
  const as = (options: InfluxOptions): string | undefined => influxPlace(options).authorization
  assert.equal(as({}), undefined)
  assert.equal(as({ token: '' }), undefined)
  assert.equal(as({ token: 'abc==' }), 'Token abc==')
  assert.equal(as({ database: 'd', token: 'me:p' }), `Basic ${btoa('me:p')}`)
  assert.equal(as({ url: 'http://me:100%@localhost:8086', database: 'd' }), `Basic ${btoa('me:100%')}`)
  assert.equal(as({ url: 'http://me:p%40@localhost:8086', database: 'd' }), `Basic ${btoa('me:p@')}`)
})

test('FC-16 an option that cannot be is named when the chest is made, and nothing secret is', () => {
  const wrong: Record<string, unknown[]> = {
    https: ['yes'],
    host: ['', 'a b', 'user:s3cret@host', 'host/path', 7],
    port: [0, 70_000, '', 'x', 1.5],
    token: [7, 's3cret\n'],
    org: ['', 7],
    bucket: ['', 7],
    database: ['', 7],
    retentionPolicy: ['week', 7],
    layout: ['points', 1],
    measurement: ['', 7],
    types: [{ n: 'float' }, 'number', null],
    routeTags: ['yes'],
    tls: [true, { cert: 'x' }, null],
    verify: ['no'],
    timeoutMs: [0, 'x'],
    name: ['', 7],
    tags: [{ time: 'x' }, { request_id: 'x' }, { status: 'x' }, { _field: 'x' }],
    url: ['localhost', 'ftp://host', 'http://h:8086?orgs=s3cret', 7],
  }
  for (const [option, values] of Object.entries(wrong))
    for (const value of values)
      assert.throws(
        () => influx({ [option]: value } as InfluxOptions),
        isAbout(`influx(): ${option}`),
        String(value),
      )
  assert.throws(() => influx({ url: 'http://h', host: 'h' }), isAbout('influx(): host'))
  assert.throws(() => influx('http://h?org=a', { org: 'b' }), isAbout('influx(): org'))
  assert.throws(() => influx('http://h', { url: 'http://h' }), isAbout('influx(): url'))
  assert.throws(() => influx({ database: 'd', bucket: 'b' }), isAbout('influx(): database'))
  assert.throws(() => influx({ layout: 'flask-chest', measurement: 'm' }), isAbout('influx(): measurement'))
  assert.throws(() => influx({ tls: { ca: 'ca.pem' } }), isAbout('influx(): tls.ca'))
  assert.throws(() => influx({ verify: true, tls: { verify: false } }), isAbout('influx(): verify'))
  assert.throws(() => influx({ layout: 'flask-chest', routeTags: false }), isAbout('influx(): routeTags'))
})

test('FC-16 without the package of its client it names what to install', () => {
  const source = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(name, context, next) {
        if (name !== '@influxdata/influxdb-client') return next(name, context)
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
      },
    })
    const { influx, contextEntry } = await import('deedbox/chests')
    const chest = influx()
    const record = { id: 'a', requestId: 'r', timestamp: 1, service: 's', env: 'e', route: null, method: null, status: null, error: null }
    const failure = await chest.write([contextEntry(record, 0, 'n', 1)]).catch(error => error)
    const [message] = await chest.check()
    console.log(JSON.stringify([failure.code, failure.message, message.id]))`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module', '-e', source],
    { cwd: import.meta.dirname, encoding: 'utf8' },
  )
  assert.deepEqual(
    JSON.parse(stdout || 'null'),
    [
      'driver_missing',
      'InfluxDB(name=my-bucket): the package @influxdata/influxdb-client could not be loaded; run: npm i @influxdata/influxdb-client (Cannot find package)',
      'deedbox.chest.driver_missing',
    ],
    stderr,
  )
})
