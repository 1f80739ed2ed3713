import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { type Chest, ChestError } from 'deedbox/chests'
import { tempFolder } from '../end-to-end/ledger-process.ts'
import { chestConformance } from './conformance.ts'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { failureOf } from './failing-write.ts'
import { csvKind, forEachKind, jsonLinesKind, type LineKind, lineHarness } from './line-kinds.ts'
import { aService } from './service-suite.ts'

chestConformance(lineHarness(jsonLinesKind))
chestConformance(lineHarness(csvKind))

/** Writes one entry whose value is given. */
async function add(chest: Chest, value: string): Promise<void> {
  await chest.write(entriesOf(aRecord(), [['n', value]]))
}

function valuesIn({ read }: LineKind, file: string): unknown[] {
  return read(readFileSync(file, 'utf8')).map(({ value }) => value)
}

forEachKind(
  'FC-15 it knows its file, which is made when first written, for its owner alone',
  async (t, kind) => {
    const folder = tempFolder(t)
    const file = join(folder, 'vars')
    const chest = kind.open(file)
    assert.equal(chest.id, `${kind.name === 'csv' ? 'CSV' : 'JSONLines'}(name=${file})`)
    assert.equal(chest.address, file)
    assert.equal(kind.open(pathToFileURL(file)).address, file)
    assert.deepEqual(await chest.check(), [])
    await chest.write([])
    assert.deepEqual(readdirSync(folder), [])
    await add(chest, 'a')
    await add(kind.open(file, { fsync: true }), 'b')
    assert.deepEqual(readdirSync(folder), ['vars'], 'and nothing else is left there')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(valuesIn(kind, file), ['a', 'b'])
    renameSync(file, `${file}.1`)
    await add(chest, 'c')
    assert.deepEqual(valuesIn(kind, file), ['c'], 'a file may be moved away at any time')
  },
)

forEachKind('FC-15 options that cannot work are told when the chest is made', async (_t, { name, open }) => {
  const wrong: [setting: string, file: string | URL, options?: object][] = [
    [`${name}()`, ''],
    [`${name}()`, 'a\0'],
    [`${name}()`, new URL('http://a.example/file')],
    [`${name}(): fsync`, 'file', { fsync: 1 }],
    [`${name}(): name`, 'file', { name: '' }],
    [`${name}(): batch`, 'file', { batch: 0 }],
    [`${name}(): rotate`, 'file', { rotate: true }],
  ]
  for (const [setting, file, options] of wrong)
    assert.throws(
      () => open(file, options),
      (error: Error & { setting?: string }) =>
        error.name === 'ConfigurationError' && error.setting === setting,
    )
})

forEachKind('FC-18 a folder that is not there is told, and entries wait for it', async (t, kind) => {
  const folder = join(tempFolder(t), 'later')
  const chest = kind.open(join(folder, 'vars'))
  const { box, lines } = aService(t, chest)
  box.run({ name: 'job' }, () => box.set({ n: 'a' }))
  await eventually(() => lines.some(line => JSON.parse(line).notice === 'chest_delayed'))
  const [found] = await chest.check()
  assert.match(`${found?.level} ${found?.message}`, /^error .+\(name=.+ENOENT/)
  const { code, cause } = await failureOf(chest)
  assert.equal(code, 'unavailable')
  assert.equal((cause as NodeJS.ErrnoException).code, 'ENOENT')
  mkdirSync(folder)
  await eventually(async () => (await box.flush()) && box.stats().chests[0]?.delivered === 1)
  assert.deepEqual(valuesIn(kind, join(folder, 'vars')), ['a'])
  const [isFolder] = await kind.open(folder).check()
  assert.match(String(isFolder?.message), /it is no file/)
})

forEachKind('FC-28 behind a line that a crash cut off, lines are whole again', async (t, kind) => {
  const folder = tempFolder(t)
  const whole = join(folder, 'whole')
  await add(kind.open(whole), 'say "hello"')
  const bytes = readFileSync(whole)
  const header = kind.name === 'csv' ? bytes.indexOf('\n') + 1 : 0
  const mend = async (cut: number): Promise<void> => {
    const file = join(folder, `cut-${cut}`)
    writeFileSync(file, bytes.subarray(0, cut))
    const chest = kind.open(file)
    await add(chest, 'b')
    await add(chest, 'c')
    const lines = readFileSync(file, 'utf8').slice(header).trimEnd().split('\n')
    const first = lines.shift() ?? ''
    assert(first.startsWith(bytes.subarray(header, cut).toString()))
    const read = kind.read(`${bytes.subarray(0, header)}${lines.join('\n')}\n`)
    assert.deepEqual(
      read.map(({ value }) => value),
      ['b', 'c'],
      first,
    )
    if (kind.name === 'csv') assert.equal(first.split('"').length % 2, 1, 'no quotation is left open')
  }
  // Wherever in the line a crash may have cut it.
  const cuts = Array.from({ length: bytes.length - header - 1 }, (_, i) => header + 1 + i)
  await Promise.all(cuts.filter(cut => cut % 3 === 0).map(mend))
})

forEachKind(
  'FC-29 a line that another process is still writing is not taken for one that a crash cut off',
  async (t, kind) => {
    const file = join(tempFolder(t), 'vars')
    const chest = kind.open(file)
    await add(chest, 'a')
    const [whole] = readFileSync(file, 'utf8').split('\n').slice(-2)
    appendFileSync(file, whole!.slice(0, 20))
    const written = add(chest, 'b')
    // It has looked by then, and looks twenty times.
    await setTimeout(120)
    appendFileSync(file, `${whole!.slice(20)}\n`)
    await written
    assert.deepEqual(valuesIn(kind, file), ['a', 'a', 'b'])
  },
)

forEachKind('FC-29 large writes of two processes stay whole, one of which is killed', async (t, kind) => {
  const file = join(tempFolder(t), 'vars')
  const source = `
    import { ${kind.name} } from 'deedbox/chests'
    import { aRecord, entriesOf } from './entries.ts'
    const chest = ${kind.name}(${JSON.stringify(file)})
    for (let n = 0; n < Number(process.argv[1]); n++) {
      const record = aRecord({ requestId: process.argv[2] + '-' + n })
      await chest.write(entriesOf(record, Array.from({ length: 40 }, (_, i) => ['n' + i, '"x"'.repeat(2_000)])))
      process.stdout.write(n + '\\n')
    }`
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const start = (rounds: number, prefix: string) => {
    const flags = ['--conditions=@deedbox/source', '--input-type=module-typescript', '-e', source]
    const child = spawn(process.execPath, [...flags, String(rounds), prefix], {
      cwd: import.meta.dirname,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    return child
  }
  const [one, other] = [start(25, 'one'), start(1_000_000, 'other')]
  let confirmed = 0
  other.stdout.on('data', data => {
    confirmed += String(data).split('\n').length - 1
  })
  const ended = once(other, 'exit')
  await Promise.all([text(one.stdout), once(one, 'exit')])
  await eventually(() => confirmed > 5)
  other.kill('SIGKILL')
  await ended
  await add(kind.open(file), 'after')
  // What the kill cut off is a line of its own.
  const isComplete = (line: string): boolean => {
    const end = kind.name === 'csv' ? /,shop,test,\{}$/ : /^\{.*"tags":\{\}\}$/
    return end.test(line)
  }
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const whole = lines.filter((line, i) => (kind.name === 'csv' && i === 0) || isComplete(line))
  assert(lines.length - whole.length <= 1)
  const read = kind.read(`${whole.join('\n')}\n`)
  const count = (prefix: string): number =>
    read.filter(({ requestId }) => requestId.startsWith(prefix)).length
  assert.equal(count('one'), 25 * 40)
  assert(count('other') >= confirmed * 40)
  assert.equal(read.at(-1)?.value, 'after')
})

forEachKind('FC-18 nothing is known of a write that failed but that it failed', async (t, kind) => {
  const file = join(tempFolder(t), 'vars')
  mkdirSync(file)
  const failure = await failureOf(kind.open(file))
  assert(failure instanceof ChestError && failure.taken.size === 0)
  assert.match(failure.message, /EISDIR/)
  assert(existsSync(file))
})
