import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page, replaceOnce } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/testing.md')
const app = page.fence('// app.ts')
const tests = page.fence('// app.test.ts')
const facts = page.fence('// event-facts.test.ts')
const failure = page.fence('No event is')

test('sample 71 to 74, FA-34 FA-35 FA-36, guide, testing: the example passes', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'app.ts': app, 'app.test.ts': tests })
  const { stdout, code } = await run(process.execPath, ['--test', folder.runnable('app.test.ts')], {
    env: cleanEnv({}),
  })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /pass 6\b/)
})

test('guide, testing: the words of an assertion that fails are those of the page', async t => {
  const paid = "payload: { order: '7' }"
  const wanted = "payload: { order: '8' }"
  const wrong = replaceOnce(tests, `type: 'success', ${paid}`, wanted)
  const folder = await snippetFolder(t, 'express-5', { 'app.ts': app, 'app.test.ts': wrong })
  const { stdout, code } = await run(process.execPath, ['--test', folder.runnable('app.test.ts')], {
    env: cleanEnv({}),
  })
  assert.equal(code, 1)
  const plain = (text: string) =>
    text
      .split('\n')
      .map(line => line.trim())
      .join('\n')
  assert.ok(plain(stdout).includes(plain(failure).trim()), stdout)
})

test('sample 3, IF-18 IF-19 IF-36, guide, testing: the four functions', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'event-facts.test.ts': facts })
  const { stdout, code } = await run(process.execPath, ['--test', folder.runnable('event-facts.test.ts')], {
    env: cleanEnv({}),
  })
  assert.equal(code, 0, stdout)
})

everyBlockIsTested(page)
