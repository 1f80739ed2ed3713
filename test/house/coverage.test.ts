import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Outcome, repository, runNode } from './run-script.ts'
import { temporaryRepository } from './temporary-repository.ts'

function coverage(root: string, ...options: string[]): Promise<Outcome> {
  return runNode(['scripts/contract/coverage.js', '--root', root, ...options])
}

const rows = JSON.stringify({
  IF: { about: 'first', rows: { 'IF-01': 'one', 'IF-02': 'two', 'IF-03': 'three', 'IF-04': 'four' } },
  P: { about: 'second', rows: { P1: 'one', P2: 'two', P3: 'three' } },
})

/** A repository whose only test file holds the given code. */
function tested(t: TestContext, code: string, path = 'packages/p/src/a.test.ts'): string {
  return temporaryRepository(t, { 'docs/contract/rows.json': rows, [path]: code })
}

/** The rows that some title in the code names. */
async function proved(t: TestContext, code: string, path?: string): Promise<string[]> {
  const { stdout } = await coverage(tested(t, code, path), '--json')
  return Object.keys(JSON.parse(stdout).proved).sort()
}

test('the report counts the rows of each prefix and lists those without a test', async t => {
  const { code, stdout } = await coverage(tested(t, "test('IF-01, IF-03 x', () => {})\ntest('P2 x')"))
  assert.equal(code, 0)
  assert.equal(
    stdout,
    `IF  2 of 4 rows have a test: first
      IF-02 two
      IF-04 four
P   1 of 3 rows have a test: second
      P1    one
      P3    three
all 3 of 7
`,
  )
})

test('the report for machines names the tests of each row', async t => {
  const { stdout } = await coverage(tested(t, "\nit('P1…P2 x', () => {})"), '--json')
  const title = 'P1…P2 x'
  const place = { file: 'packages/p/src/a.test.ts', line: 2, title }
  assert.deepEqual(JSON.parse(stdout), {
    prefixes: { IF: { total: 4, proved: 0 }, P: { total: 3, proved: 2 } },
    proved: { P1: [place], P2: [place] },
    missing: ['IF-01', 'IF-02', 'IF-03', 'IF-04', 'P3'],
    unknown: [],
  })
})

test('ids are read one by one, in lists and in ranges', async t => {
  assert.deepEqual(await proved(t, "test('IF-01…IF-03 x')"), ['IF-01', 'IF-02', 'IF-03'])
  assert.deepEqual(await proved(t, "test('IF-02..04 x')"), ['IF-02', 'IF-03', 'IF-04'])
  assert.deepEqual(await proved(t, "test('P1–P3: x')"), ['P1', 'P2', 'P3'])
  assert.deepEqual(await proved(t, "test('P1 to P2 and IF-04/P3')"), ['IF-04', 'P1', 'P2', 'P3'])
  assert.deepEqual(await proved(t, "test('P1 – 3 attempts, P256, XP2, P3x')"), ['P1'])
})

test('titles are read in calls, templates and tables, and nowhere else', async t => {
  assert.deepEqual(await proved(t, `test(\`P1 \${name}\`)\ndescribe('P2', () => t.test("P3"))`), [
    'P1',
    'P2',
    'P3',
  ])
  assert.deepEqual(await proved(t, "const cases = [{ title: 'P1 x' }, { a, title: `P2` }]"), ['P1', 'P2'])
  assert.deepEqual(await proved(t, "test.only('P1'); test.skip('P2'); it.todo('P3')"), ['P1'])
  assert.deepEqual(await proved(t, "// test('P1')\nconst a = \"test('P2')\"; attest('P3'); skip('P1')"), [])
})

test('titles are read in the tests of packages, in test/ and in examples', async t => {
  const code = "test('P1 x')"
  for (const path of ['packages/p/src/room/a.test.ts', 'test/conformance/suite.ts', 'examples/e/a.test.ts']) {
    assert.deepEqual(await proved(t, code, path), ['P1'], path)
  }
  for (const path of [
    'packages/p/src/a.ts',
    'packages/p/dist/a.test.ts',
    'examples/node_modules/a.test.ts',
  ]) {
    assert.deepEqual(await proved(t, code, path), [], path)
  }
})

test('an id that no row has is an error, with its place', async t => {
  for (const slip of ['IF-99', 'IF-1', 'IF01', 'P4', 'P-1']) {
    const { code, stderr } = await coverage(tested(t, `\n\ntest('${slip} x')`))
    assert.equal(code, 1)
    assert.equal(stderr, `packages/p/src/a.test.ts:3: there is no row ${slip}; the title is "${slip} x"\n`)
  }
})

test('required rows without a test fail; with one they pass', async t => {
  const root = tested(t, "test('P1…P3, IF-02 x')")
  assert.equal((await coverage(root, '--require', 'P', '--require', 'IF-02')).code, 0)
  const { code, stderr } = await coverage(root, '--require', 'IF-01…IF-03, P1')
  assert.equal(code, 1)
  assert.equal(stderr, 'Required, but no test names: IF-01, IF-03\n')
})

test('rows that the file requires must have a test, whatever is asked for', async t => {
  const group = JSON.parse(rows)
  const root = (code: string, required = 'P1…P2') => {
    group.P.required = required
    const files = { 'docs/contract/rows.json': JSON.stringify(group), 'packages/p/src/a.test.ts': code }
    return temporaryRepository(t, files)
  }
  assert.equal((await coverage(root("testWithBoth('P1 x', () => {})\ntest('P2 x')"))).code, 0)
  const { code, stderr } = await coverage(root("test('P1 x')\ntest.skip('P2 x')"))
  assert.deepEqual([code, stderr], [1, 'Required, but no test names: P2\n'])
  const wrong = await coverage(root('', 'P4'))
  assert.notEqual(wrong.code, 0)
  assert.match(wrong.stderr, /P4 is required, but there is no such row/)
})

test('a wrong call is refused with the reason and the usage', async t => {
  const root = tested(t, '')
  for (const [options, reason] of [
    [['--require', 'Q'], /"Q" is no row and no prefix\. The prefixes are IF, P\./],
    [['--require', 'IF-09'], /there is no row IF-09/],
    [['--require', ''], /no row and no prefix/],
    [['--what'], /--what/],
  ] as const) {
    const { code, stdout, stderr } = await coverage(root, ...options)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, reason)
    assert.match(stderr, /Usage: npm run coverage:contract/)
  }
})

test('the contract of this repository has all its rows, each with a title of its own', () => {
  const groups: Record<string, { rows: Record<string, string> }> = JSON.parse(
    readFileSync(join(repository, 'docs/contract/rows.json'), 'utf8'),
  )
  const counts = Object.entries(groups).map(([prefix, { rows }]) => [prefix, Object.keys(rows).length])
  const expected = { IF: 37, IP: 17, FC: 30, FA: 65, DF: 69, X: 18, P: 30, F: 18 }
  assert.deepEqual(Object.fromEntries(counts), expected)
  for (const [prefix, { rows }] of Object.entries(groups)) {
    const isShort = prefix.length === 1 && prefix !== 'X'
    Object.entries(rows).forEach(([id, title], at) => {
      assert.equal(id, isShort ? `${prefix}${at + 1}` : `${prefix}-${String(at + 1).padStart(2, '0')}`)
      assert.ok(title.length > 5 && title.length <= 60, `${id}: ${title}`)
    })
  }
})

test('every required row of this repository has a test, and no test names a row that does not exist', async () => {
  const { code, stderr } = await coverage(repository)
  assert.equal(code, 0, stderr)
})
