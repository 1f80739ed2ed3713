import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loggedFrameworks } from './request-log.ts'

/** Runs the command as `npm run bench` does, with a folder for temporary files of its own. */
async function bench(
  t: TestContext,
  args: string[],
): Promise<Record<'out' | 'err', string> & { code: number; left: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'deedbox-bench-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const root = resolve(import.meta.dirname, '..')
  const child = spawn(process.execPath, ['scripts/run.js', 'bench', ...args], {
    cwd: root,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGTERM'))
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    said.err += text
  })
  const [code] = await once(child, 'close')
  return { ...said, code, left: readdirSync(folder) }
}

test('npm run bench measures, prints its table with where it was measured, and leaves nothing behind', async t => {
  const { out, err, code, left } = await bench(t, ['--quick', '--only', 'ingest-batch', '--only', 'growth'])
  assert.equal(code, 0, err)
  assert.match(out, /^\| batches of 1,000 over HTTP, 4 connections \| [\d,]+ events\/s \|/m)
  assert.match(out, /^\| {2}\| {2}\| SQLite’s ceiling, the same rows: [\d,.]+ \| [\d.]+ × \|/m)
  assert.match(
    out,
    /^\| {2}\| {2}\| Fastify \+ `pg`, an INSERT each(: [\d,]+ \| [\d.]+ ×| \| not measured: )/m,
  )
  assert.match(out, /^\| batches of 1,000 in-process, into 3,000 events \|.* into 1,000 events: /m)
  assert.match(out, /Measured on \d{4}-\d\d-\d\d: .*fdatasync.*Node \d+.*SQLite \d/)
  assert.match(out, /`journal_mode=wal`, `synchronous=2`/)
  assert.deepEqual(left, [])
})

test('a log call is measured beside those of others', async t => {
  const { out, err, code, left } = await bench(t, ['--quick', '--only', 'log-calls'])
  assert.equal(code, 0, err)
  const rows = out.split('\n').filter(row => /: [\d,.]+ \| [\d.]+ × \|/.test(row))
  assert.equal(rows.length, 12, out)
  assert.deepEqual(left, [])
})

test('the request log is measured on each framework, beside the loggers that it has', async t => {
  const { out, err, code, left } = await bench(t, ['--quick', '--only', 'request-log'])
  assert.equal(code, 0, err)
  const rows = out.split('\n').filter(row => /: [\d,.]+ \| [\d.]+ × \|/.test(row))
  const pairs = loggedFrameworks.flatMap(({ peers }) => ['bare', ...peers])
  assert.equal(rows.length, 2 * pairs.length, out)
  // Of no log and of `pino-http`.
  assert.equal(rows.filter(row => /\| ≥ [^|]* \|$/.test(row)).length, 4 * loggedFrameworks.length, out)
  for (const { shown } of loggedFrameworks) {
    for (const when of ['from the start', 'behind 0.1 quiet seconds'])
      assert.match(
        out,
        new RegExp(`^\\| request log on ${shown},.* ${when} \\|.* requests/s \\| no log: `, 'm'),
      )
  }
  assert.match(out, /winston \d+\.\d+\.\d+, evlog \d+\./)
  assert.deepEqual(left, [])
})

test('tracked variables are measured, with everything on as well, and what found no room is told', async t => {
  const { out, err, code, left } = await bench(t, ['--quick', '--only', 'tracked'])
  assert.equal(code, 0, err)
  const rows = out.split('\n').filter(row => /: [\d,.]+ \| [\d.]+ × \| [\d.]+ × \|/.test(row))
  assert.equal(rows.length, 5, out)
  assert.match(
    out,
    /found no room: `bare=0`, `pino-http=0`, `log=0`, `sqlite=\d+`, `sink=\d+`, `everything=\d+`/,
  )
  assert.deepEqual(left, [])
})

test('a chest is measured beside its driver, which writes the same rows', async t => {
  const parts = ['--only', 'chest-sqlite', '--only', 'chest-mysql']
  const { out, err, code, left } = await bench(t, ['--quick', ...parts])
  assert.equal(code, 0, err)
  const row = (name: string, figures: string): RegExp =>
    new RegExp(`^\\| a chest in ${name}, [^|]* \\| ${figures}`, 'm')
  assert.match(out, row('SQLite', '[\\d,]+ variables/s \\| `node:sqlite`, [^|]*: [\\d,]+ \\| [\\d.]+ ×'))
  assert.match(
    out,
    row('MariaDB', '([\\d,]+ variables/s \\| [^|]*: [\\d,]+ \\| [\\d.]+ ×|none .* not measured: )'),
  )
  assert.deepEqual(left, [])
})

for (const [what, args, sentence] of [
  [
    'a part that there is not',
    ['--only', 'nothing'],
    /There is no part "nothing"\. The parts are: ingest-single,/,
  ],
  ['rounds that are no number', ['--rounds', 'many'], /--rounds takes a number from 1 to 999/],
  ['a README from half a run', ['--readme', '--only', 'start'], /--readme goes with a run of everything/],
  ['long and quick at once', ['--long', '--quick'], /opposite/],
  ['an option that there is not', ['--fast'], /Unknown option '--fast'/],
] as const) {
  test(`npm run bench says what is wrong with ${what}`, async t => {
    const { out, err, code } = await bench(t, [...args])
    assert.equal(code, 2)
    assert.match(err, sentence)
    assert.equal(out, '')
  })
}
