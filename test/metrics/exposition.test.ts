import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readExposition } from './exposition.ts'

const lawful = `# HELP a_total What it is
# TYPE a_total counter
a_total{path="/x \\"y\\" \\\\ \\n"} 1
a_total{path="z",} 2

# HELP b_seconds What it takes
# TYPE b_seconds histogram
b_seconds_bucket{le="0.1"} 1
b_seconds_bucket{le="+Inf"} 3
b_seconds_sum 1.5
b_seconds_count 3
`

test('the reader of expositions takes what keeps the rules', () => {
  const read = readExposition(lawful)
  assert.equal(read.value('a_total', { path: '/x "y" \\ \n' }), 1)
  assert.equal(read.value('b_seconds_count'), 3)
  assert.deepEqual(read.labelValues('a_total', 'path'), ['/x "y" \\ \n', 'z'])
})

const broken: readonly (readonly [string, string, string])[] = [
  ['a series twice', 'a_total{path="z",} 2', 'a_total{path="z",} 2\na_total{path="z"} 2'],
  ['a family twice', '# HELP b_seconds', '# HELP a_total X\n# TYPE a_total counter\n# HELP b_seconds'],
  ['a label twice', '{path="z",}', '{path="z",path="z"}'],
  ['a label that is not closed', '{path="z",}', '{path="z}'],
  ['no HELP', '# HELP b_seconds What it takes\n', ''],
  ['no TYPE', '# TYPE b_seconds histogram\n', ''],
  ['a counter that does not say so', '# TYPE a_total counter', '# TYPE a_total gauge'],
  ['a counter below 0', 'path="z",} 2', 'path="z"} -2'],
  ['no number', 'path="z",} 2', 'path="z"} two'],
  ['buckets that do not add up', 'le="0.1"} 1', 'le="0.1"} 4'],
  ['buckets that end early', 'b_seconds_bucket{le="+Inf"} 3\n', ''],
  ['no line break at the end', 'b_seconds_count 3\n', 'b_seconds_count 3'],
]

for (const [what, from, to] of broken) {
  test(`the reader of expositions refuses ${what}`, () => {
    const text = lawful.replace(from, () => to)
    assert.notEqual(text, lawful)
    assert.throws(() => readExposition(text), assert.AssertionError)
  })
}
