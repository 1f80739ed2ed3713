import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { deedbox } from 'deedbox'
import { sqlite } from 'deedbox/chests'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page, replaceOnce } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/exporters.md')
const files = { 'export.ts': page.fence('// export.ts'), 'scheduled.ts': page.fence('// scheduled.ts') }
const commands = page.fence('npx deedbox chest export')

/** The programs of the page, with a chest that has something in it. */
async function filled(t: TestContext): Promise<{ path: string; runnable(name: string): string }> {
  const folder = await snippetFolder(t, 'express-5', files)
  const chest = sqlite(join(folder.path, 'vars.db'))
  const box = deedbox({ ledger: null, log: { sink: () => {} }, flushOnSignal: false, chests: [chest] })
  for (let n = 0; n < 5; n++) box.run({ name: 'job' }, () => box.set({ total: n, user_id: `u_${n}` }))
  assert.equal(await box.close(), true)
  return folder
}

function linesOf(folder: string, file: string): string[] {
  return readFileSync(join(folder, file), 'utf8').trimEnd().split('\n')
}

test('sample 50, FC-26 FC-28 FC-30, guide, exporters: a plain script moves what is there, once', async t => {
  const folder = await filled(t)
  for (const moved of ['10\n', '0\n']) {
    const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('export.ts')], {
      env: cleanEnv(),
      cwd: folder.path,
    })
    assert.deepEqual([code, stdout], [0, moved], stderr)
  }
  assert.equal(linesOf(folder.path, 'vars.jsonl').length, 10)
})

test('FC-26, guide, exporters: started exporters keep no process alive', async t => {
  const folder = await filled(t)
  page.says('keeps no process alive')
  const { code, stderr } = await run(process.execPath, [folder.runnable('scheduled.ts')], {
    env: cleanEnv(),
    cwd: folder.path,
  })
  assert.equal(code, 0, stderr)
})

test('guide, exporters: the commands do what the page says', async t => {
  const folder = await filled(t)
  const program = `${import.meta.dirname}/../../packages/deedbox/bin/deedbox.js`
  const [show = '', toCsv = '', watch = ''] = commands.trimEnd().split('\n')
  const words = (line: string): string[] => replaceOnce(line, 'npx deedbox ', '').split(' ')
  const settings = { env: cleanEnv(), cwd: folder.path }
  const shown = await run(process.execPath, [program, ...words(show)], settings)
  assert.deepEqual(
    shown.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).value),
    [0, 1, 2, 3, 4],
  )
  const exported = await run(process.execPath, [program, ...words(toCsv)], settings)
  assert.equal(exported.code, 0, exported.stderr)
  assert.equal(linesOf(folder.path, 'vars.csv').length, 11)
  // It would go on for ever; that it understands the words is enough here.
  const once = words(watch).filter(word => !['--watch', '--interval', '5m'].includes(word))
  assert.equal(words(watch).length - once.length, 3)
  assert.equal((await run(process.execPath, [program, ...once], settings)).code, 0)
})

everyBlockIsTested(page)
