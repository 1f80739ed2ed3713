import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../end-to-end/ledger-process.ts'

test('every page that shows TypeScript has a test that runs all of it', () => {
  const tests = readdirSync(import.meta.dirname)
    .filter(name => name.endsWith('.test.ts'))
    .map(name => readFileSync(join(import.meta.dirname, name), 'utf8'))
    .filter(text => text.includes('everyBlockIsTested('))
  const pages = readdirSync(join(root, 'docs', 'guide')).map(name => `docs/guide/${name}`)
  const showing = [...pages, 'README.md', 'packages/deedbox/README.md'].filter(path =>
    /^```tsx?$/m.test(readFileSync(join(root, path), 'utf8')),
  )
  assert(showing.length > 8)
  // Its one snippet is run by test/secrets, beside the lists that the page has from the code.
  const elsewhere = new Set(['docs/guide/redaction.md'])
  const untested = showing.filter(
    path => !elsewhere.has(path) && !tests.some(text => text.includes(`new Page('${path}'`)),
  )
  assert.deepEqual(untested, [])
})
