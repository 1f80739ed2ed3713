import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startChild } from '../testing/ledger-child.ts'

const fixture = 'configured-process.ts'

const bad = {
  ACME_PORT: '80x',
  ACME_DATABASE_URL: 'postgres//app:hunter2@db/shop',
  ACME_PIN: 'hunter3',
}

const list = `4 things in the environment of this service cannot work.
  ACME_PORT is "80x". Set it to a whole number.
  ACME_DATABASE_URL does not fit. Set it to a URL such as https://host/path.
  ACME_API_KEY is missing. Set it to a text.
  ACME_PIN does not fit. Set it to a whole number.
`

test('FA-28 DF-54 a bad environment ends the process with code 1 and the list, no stack, no secret', async () => {
  const child = startChild(fixture, { ...bad, ENV: 'development' })
  assert.deepEqual(await child.ended, { code: 1, signal: null })
  assert.equal(child.output(), list)
})

test('FA-28 DF-54 FA-36 in production the list is one line of JSON', async () => {
  const child = startChild(fixture, bad)
  assert.deepEqual(await child.ended, { code: 1, signal: null })
  assert.match(child.output(), /^[^\n]+\n$/)
  assert(!child.output().includes('hunter'))
  const { timestamp, problems, ...line } = JSON.parse(child.output())
  assert.match(timestamp, /^\d{4}-/)
  assert.deepEqual(line, {
    level: 'CRITICAL',
    message: 'The environment of this service cannot work',
    code: 'invalid_configuration',
    ENV: 'production',
  })
  assert.deepEqual(
    problems.map(
      ({ variable, problem, remedy }: Record<string, string>) => `  ${variable} ${problem}. ${remedy}`,
    ),
    list.trimEnd().split('\n').slice(1),
  )
})

test('FA-28 a profile that is none ends the process with the three that there are', async () => {
  const child = startChild(fixture, { ENV: 'prod', ACME_DATABASE_URL: 'https://a.example' })
  assert.deepEqual(await child.ended, { code: 1, signal: null })
  const { problems } = JSON.parse(child.output())
  assert.deepEqual(problems, [
    {
      code: 'unknown_profile',
      variable: 'ENV',
      problem: 'is "prod"',
      remedy: 'Set it to production, development or testing.',
    },
  ])
})

const hasTerminals = spawnSync('script', ['--version']).stdout?.includes('util-linux') ?? false

test('FA-28 on a terminal the list is text, in production too', {
  skip: !hasTerminals && 'no script(1) here',
}, () => {
  const path = fileURLToPath(new URL(`../testing/${fixture}`, import.meta.url))
  const command = `'${process.execPath}' --conditions=@deedbox/source '${path}'`
  const { status, stdout } = spawnSync('script', ['-qefc', command, '/dev/null'], {
    env: { PATH: process.env.PATH, ...bad },
    encoding: 'utf8',
  })
  assert.deepEqual([status, stdout.replaceAll('\r\n', '\n')], [1, list])
})
