import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { measure } from './measure.ts'
import { page, readme } from './pages.ts'
import { sectionOf, shortTable, wholeTable } from './tables.ts'

const playing = measure()
// A failure belongs to the tests that wait for it.
playing.catch(() => undefined)

test('the tables of the comparison say what each library writes today; if not: npm run comparison', async () => {
  const measured = await playing
  assert.equal(sectionOf(readFileSync(page, 'utf8'), 'comparison'), wholeTable(measured))
  assert.equal(sectionOf(readFileSync(readme, 'utf8'), 'comparison'), shortTable(measured))
})

test('deedbox records each of the six requests rightly, on every framework of the comparison', async () => {
  const ours = (await playing).filter(({ row }) => row.library === 'deedbox')
  assert.notEqual(ours.length, 0)
  const wrong = ours.flatMap(({ row, cells }) =>
    cells.filter(({ right }) => !right).map(({ text }) => `${row.framework}: ${text}`),
  )
  assert.deepEqual(wrong, [])
})
