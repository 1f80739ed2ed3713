import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'

const page = new Page('docs/guide/pretty.md')
const golden = join(root, 'packages/deedbox/src/log/pretty/golden')

test('FA-11 guide, lines for people: what the page shows is what the tests of the view print', () => {
  assert.equal(page.fence('order looked up'), readFileSync(join(golden, 'no-colour-compact.txt'), 'utf8'))
  const objects = readFileSync(join(golden, 'no-colour-json.txt'), 'utf8')
  assert.equal(page.fence('"message": "started..."'), objects.slice(0, objects.indexOf('\n}\n') + 3))
  assert.equal(page.fence('ENV='), 'ENV=development node server.js\n')
})

test('FA-12 guide, lines for people: the picture is drawn from what a terminal is sent', t => {
  const folder = mkdtempSync(join(tmpdir(), 'picture-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const drawn = join(folder, 'pretty.svg')
  const script = join(root, 'scripts/terminal-picture.js')
  execFileSync(process.execPath, [script, join(golden, 'github-dark-compact.ansi'), drawn])
  const shown = readFileSync(join(root, 'docs/pictures/pretty.svg'), 'utf8')
  assert.equal(readFileSync(drawn, 'utf8'), shown)
  const texts = shown
    .replaceAll(/<[^>]+>/g, '')
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<')
  for (const word of ['started...', '<module>', 'GET /orders/7?expand=items', 'PaymentError']) {
    assert(texts.includes(word), word)
  }
})

everyBlockIsTested(page)
