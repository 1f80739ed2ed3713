import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { figuresOf } from '../../bench/results.ts'
import { repository } from './run-script.ts'

test('the figures of the README are those of the last run of the benchmarks, word for word', () => {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8')
  const latest = readFileSync(join(repository, 'bench/results/latest.md'), 'utf8')
  assert.equal(figuresOf(readme), latest)
})

test('a README without a place for figures is reported', () => {
  assert.throws(() => figuresOf('# A README\n'), /no place for figures/)
})
