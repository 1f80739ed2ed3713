import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { captureLog } from '../testing/captured-log.ts'
import {
  bytes,
  describeConfig,
  duration,
  flag,
  integer,
  json,
  list,
  optional,
  readConfig,
  text,
  url,
} from './index.ts'

const shape = {
  port: integer(),
  databaseUrl: url(),
  brokerUrl: url({ secret: true }),
  apiKey: text(),
  pin: integer(),
  hasToken: flag(),
  resetToken: optional(text()),
  name: text({ secret: true, name: 'PLAIN' }),
  timeout: duration({ default: 90_000 }),
  idle: duration({ default: 0 }),
  size: bytes({ default: '64KiB' }),
  odd: bytes({ default: 1023 }),
  tags: list(text()),
  raw: json(),
  motto: text(),
}

const environment = {
  ENV: 'testing',
  ACME_PORT: '80',
  ACME_DATABASE_URL: 'postgres://app:hunter1@db:5432/shop?sslmode=on&password=hunter2',
  ACME_BROKER_URL: 'https://hunter3.example',
  ACME_API_KEY: 'hunter4',
  ACME_PIN: '77777777',
  ACME_HAS_TOKEN: 'yes',
  PLAIN: 'hunter5',
  ACME_TAGS: 'a,Bearer hunter6hunter6',
  ACME_RAW: '{"user":"ann","password":"hunter7","n":1}',
  ACME_MOTTO: 'password=hunter8',
}

const masked = {
  port: 80,
  databaseUrl: 'postgres://app:[redacted]@db:5432/shop?sslmode=on&password=[redacted]',
  brokerUrl: '[redacted]',
  apiKey: '[redacted]',
  pin: '[redacted]',
  hasToken: true,
  resetToken: null,
  name: '[redacted]',
  timeout: '90s',
  idle: 0,
  size: '64KiB',
  odd: 1023,
  tags: ['a', 'Bearer [redacted]'],
  raw: { user: 'ann', password: '[redacted]', n: 1 },
  motto: 'password=[redacted]',
}

test('FA-32 every variable stands in the dump with its value, secrets masked', () => {
  const config = readConfig(shape, { prefix: 'ACME_', environment })
  const variables = Object.entries(masked).map(([key, value]) => [
    key === 'name' ? 'PLAIN' : `ACME_${key.replaceAll(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`,
    value,
  ])
  assert.deepEqual(describeConfig(config), { ENV: 'testing', ...Object.fromEntries(variables) })
  assert.equal(config.databaseUrl.password, 'hunter1')
})

test('FA-32 the policy of a dump is that of redact options', () => {
  const config = readConfig({ iban: text(), sid: text() }, { environment: { IBAN: 'x', SID: 'y' } })
  assert.deepEqual(describeConfig(config, { keys: ['iban'], allow: ['sid'], replacement: '***' }), {
    ENV: 'production',
    IBAN: '***',
    SID: 'y',
  })
  const prefixed = readConfig({ iban: text() }, { prefix: 'ACME_', environment: { ACME_IBAN: 'x' } })
  assert.equal(describeConfig(prefixed, { keys: ['iban'] }).ACME_IBAN, '[redacted]')
})

test('FA-32 a configuration that is printed, logged or written as JSON whole is masked', async () => {
  const config = readConfig(shape, { prefix: 'ACME_', environment })
  assert.deepEqual(JSON.parse(JSON.stringify({ config })), { config: masked })
  assert.equal(inspect({ config }), inspect({ config: masked }))
  assert.deepEqual(Object.keys(config), Object.keys(masked))
  const { box, texts, lines } = captureLog()
  box.log.info('read', { config })
  const [line] = await lines()
  assert.deepEqual(line?.config, masked)
  assert(!texts.join('').includes('hunter'))
})
