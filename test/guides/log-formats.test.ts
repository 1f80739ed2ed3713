import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { type TestContext, test } from 'node:test'
import { namedFormat } from '../../packages/deedbox/src/log/formats.ts'
import { levelNumbers } from '../../packages/deedbox/src/log/levels.ts'
import { serializer } from '../../packages/deedbox/src/testing/fuzzed-lines.ts'
import { violations } from '../../packages/deedbox/src/testing/json-schema.ts'
import { mozlogSchema } from '../../packages/deedbox/src/testing/mozlog-schema.ts'
import { requestHead } from '../../packages/deedbox/src/testing/sample-heads.ts'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/log-formats.md')
const formats = page.fence('// formats.ts')
const details = page.fence('// details.ts')
const shown = [
  '"card declined","source"',
  '"rid":"r-1"',
  '"http.request.id":"r-1"',
  '"resourceLogs"',
  '{"text"',
].map(holding => page.fence(holding))
const summaries = page.fence('// summaries.ts')
const chosen = page.fence('"Shop":{')

/** A text of lines without what differs between any two runs and machines. */
function steady(text: string, host: string): string {
  return text
    .replaceAll(JSON.stringify(host), '"(host)"')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{3,6}/g, '(instant)')
    .replaceAll(/\b\d{19}\b/g, '(nanoseconds)')
    .replaceAll(
      /(?<="Pid":|"process\.pid":|"process":\{"id":|"process\.pid","value":\{"intValue":")\d+/g,
      '(pid)',
    )
    .replaceAll(/(?<="timestamp":|"seconds":)\d+(\.\d+)?/g, '(seconds)')
    .replaceAll(/(?<="repr":")0:00:\d\d\.\d+/g, '(elapsed)')
}

async function printed(t: TestContext, name: string, source: string, zone: string): Promise<string[]> {
  const folder = await snippetFolder(t, 'express-5', { [name]: source })
  const { code, stdout, stderr } = await run(process.execPath, [folder.runnable(name)], {
    env: cleanEnv({ TZ: zone }),
  })
  assert.deepEqual([code, stderr], [0, ''])
  return stdout.trimEnd().split('\n')
}

test('guide, formats of the log: FA-02 FA-54 DF-44 one log call in each of them', async t => {
  const lines = await printed(t, 'formats.ts', formats, 'UTC')
  page.says('the line of the job, is left out')
  const calls = lines.filter(line => line.includes('card declined'))
  assert.deepEqual([lines.length, calls.length], [10, 5])
  assert.equal(steady(`${calls.join('\n')}\n`, hostname()), steady(shown.join(''), 'shop-1'))
  page.says('it says the same in a third of the bytes')
  const [flat = '', , , , loguru = ''] = calls
  assert.equal(Math.round(loguru.length / flat.length), 3)
})

test('guide, formats of the log: FA-03 DF-48 DF-49 what may be chosen', async t => {
  const lines = await printed(t, 'details.ts', details, 'America/Sao_Paulo')
  assert.equal(steady(`${lines.join('\n')}\n`, hostname()), steady(chosen, 'shop-1'))
  assert.match(lines[0] ?? '', /^\{"timestamp":"[^"]+-03:00"/)
})

test('guide, formats of the log: sample 96, DF-33 DF-43 FA-46 FA-50 only request.summary goes to the console', async t => {
  const service = `${summaries}
import { observe } from 'deedbox/http'
import { createServer } from 'node:http'
createServer(observe(box)((_request, response) => response.end(box.requestId))).listen(0)
box.log.info('open')
`
  const folder = await snippetFolder(t, 'express-5', { 'summaries.ts': service })
  const running = await startService(t, folder.runnable('summaries.ts'))
  // Sample 97: the id is the client's, in the handler and on the lines.
  const answer = await running.call('GET', '/orders', { headers: { 'x-request-id': 'r-97' } })
  assert.equal(answer.body, 'r-97')
  await running.linesOf(answer)
  assert.deepEqual(
    running.lines().map(({ message }) => message),
    ['open', 'log request'],
  )
  await running.stop()
  const console = running.stdout().trimEnd().split('\n')
  const [line] = console.map(text => JSON.parse(text) as Record<string, unknown>)
  assert.deepEqual([console.length, line?.Type, line?.Logger], [1, 'request.summary', 'shop'])
  assert.deepEqual(violations(line, mozlogSchema), [])
})

/** The rows of a table, each with its cells, by the first cell of its head. */
function rowsOf(heading: string): string[][] {
  const lines = page.text.split('\n')
  const from = lines.findIndex(line => line.startsWith(`| ${heading} |`))
  const table = lines.slice(from + 2)
  return table.slice(0, table.indexOf('')).map(row => row.split('|').slice(1, -1))
}

const namesIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '')

test('guide, formats of the log: the tables say what the lines do', () => {
  const facts = { service: 'shop', env: 'production' }
  const lineOf = (name: 'flat' | 'mozlog' | 'ecs' | 'otel', head = requestHead): string =>
    namedFormat(name, facts)(head, serializer, undefined, undefined, () => undefined)
  const rows = rowsOf('flat')
  assert.equal(rows.length, 14)
  const ecs = JSON.parse(lineOf('ecs'))
  for (const [flatNames = '', ecsNames = '', otelNames = ''] of rows) {
    for (const name of namesIn(flatNames)) assert(name in JSON.parse(lineOf('flat')), name)
    for (const name of namesIn(ecsNames))
      assert(name in ecs || name.slice('deedbox.'.length) in ecs.deedbox, name)
    for (const name of namesIn(otelNames))
      assert(lineOf('otel').includes(`"key":"${name}"`) || lineOf('otel').includes(`"${name}":`), name)
  }
  const levels = rowsOf('level').map(cells => cells.map(cell => cell.trim()))
  assert.deepEqual(
    levels.map(([name]) => name),
    Object.keys(levelNumbers),
  )
  for (const [level = '', number, severity, severityNumber] of levels) {
    const head = { ...requestHead, level, number: Number(number) }
    assert.equal(levelNumbers[level as 'INFO'], Number(number))
    assert.equal(JSON.parse(lineOf('mozlog', head)).Severity, Number(severity))
    assert(lineOf('otel', head).includes(`"severityNumber":${severityNumber},`))
  }
})

everyBlockIsTested(page)
