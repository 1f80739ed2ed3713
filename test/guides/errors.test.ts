import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compiledProgram } from '../../packages/deedbox/src/testing/compiled-program.ts'
import { everyBlockIsTested, Page, replaceOnce } from './page.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/errors.md')
const shop = page.fence('// shop.ts')
const shown = page.fence('Error: no order')
const variables = page.fence('items = [')

test('guide, errors: FA-37 FA-42 FA-45 FA-58 the trace that the page shows, without and with variables', async t => {
  const program = await compiledProgram(t, {
    'src/shop.ts': replaceOnce(shop, "'deedbox'", "'ERRORS'"),
    'src/main.ts': "import { show } from './shop.js'\nshow()\n",
  })
  const plain = await program.run('main.js', { env: { DEEDBOX_LOCALS: '1', NODE_ENV: 'production' } })
  assert.deepEqual(plain, { code: 0, stdout: shown.replaceAll('/srv/shop', '<folder>'), stderr: '' })
  const full = await program.run('main.js', { env: { DEEDBOX_LOCALS: '1', NODE_ENV: 'development' } })
  assert.deepEqual([full.code, full.stderr], [0, ''])
  assert.ok(full.stdout.includes(variables.replaceAll('/srv/shop', '<folder>')), full.stdout)
  assert.ok(!/key-of-the-shop/.test(plain.stdout + full.stdout))
})

test('guide, errors: FA-44 the program of the page compiles against the packages as installed', async t => {
  await snippetFolder(t, 'express-5', { 'shop.ts': shop })
})

everyBlockIsTested(page)
