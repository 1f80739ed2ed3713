import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { apiSurface, built } from './api-fixture.ts'
import { temporaryRepository } from './temporary-repository.ts'

test('a difference from the committed snapshot fails and says what to do', async t => {
  const root = built(
    t,
    '/** A. */\nexport interface A {\n    b: string;\n    c: 1;\n}\n/** D. */\nexport type D = 1;\n',
  )
  await apiSurface(root, '--update')
  assert.equal((await apiSurface(root)).code, 0)
  writeFileSync(
    join(root, 'packages/p/dist/index.d.ts'),
    '/** A. */\nexport interface A {\n    b?: string;\n    c: 1;\n}\n/** E. */\nexport type E = 1;\n',
  )
  const { code, stderr } = await apiSurface(root)
  assert.equal(code, 1)
  assert.equal(
    stderr,
    `p .: the API differs
  ~ changed  A
      - b: string;
      + b?: string;
  - removed  D
  + added    E
If this is meant: run \`npm run api:update\` and mention the change in CHANGELOG.md.
`,
  )
})

test('an entry without a snapshot, and a snapshot without an entry, fail; an update mends both', async t => {
  const root = built(t, '/** A. */\nexport type A = 1;\n')
  const missing = await apiSurface(root)
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /^p \.: no snapshot is committed$/m)
  await apiSurface(root, '--update')
  const stale = join(root, 'packages/p/api/gone.api.txt')
  writeFileSync(stale, '')
  const { code, stderr } = await apiSurface(root)
  assert.equal(code, 1)
  assert.match(stderr, /gone\.api\.txt belongs to no entry/)
  assert.equal((await apiSurface(root, '--update')).code, 0)
  assert.ok(!existsSync(stale))
  assert.equal((await apiSurface(root)).code, 0)
})

test('the type any fails wherever it stands; a member or a word of that name does not', async t => {
  const root = built(
    t,
    `/** Any any. */
export interface Names {
    any: string;
    any?(any: 'any', ...rest: [any?: 1]): \`any\`;
    readonly any: AbortSignal.any;
}
/** A. */
export declare function parameter(a: any): void;
/** A. */
export type Argument = Map<string, any>;
/** A. */
export type Substituted = \`\${any}\`;
/** A. */
export type Indirect = Hidden;
type Hidden = any[];
declare global {
    var box: any;
}
/** A. */
export type Conditional<T> = T extends any ? any : never;
`,
  )
  await apiSurface(root, '--update')
  const { code, stderr } = await apiSurface(root)
  assert.equal(code, 1)
  assert.deepEqual(
    stderr
      .trim()
      .split('\n')
      .map(line => line.replace(/: the declaration uses the type any;.*/, '')),
    [
      'p . (global)',
      'p . (not exported) Hidden',
      'p . Argument',
      'p . Conditional',
      'p . Substituted',
      'p . parameter',
    ],
  )
})

test('an export without a doc comment fails, with its package, entry and name', async t => {
  const root = built(
    t,
    'export { a } from "./a.js";\n/* plain */\nexport type B = 1;\n' +
      '/** The first of two. */\nexport declare function c(): 1;\nexport declare function c(d: 1): 2;\n',
    {
      'a.d.ts': '/** Documented. */\nexport declare const a = 1;\n',
    },
  )
  await apiSurface(root, '--update')
  const { code, stderr } = await apiSurface(root)
  assert.equal(code, 1)
  assert.equal(stderr, 'p . B: the export has no doc comment\n')
})

const refused: { what: string; index: string; message: RegExp }[] = [
  {
    what: 'a form it does not know',
    index: 'export {};\nexport = x;\n',
    message: /index\.d\.ts, line 2: .*export = x/,
  },
  { what: 'an enumeration', index: 'export declare enum E {\n  A\n}\n', message: /line 1: .*enum E/ },
  { what: 'an export of nothing', index: 'export { a };\n', message: /exports a, which it does not declare/ },
  { what: 'a name its module lacks', index: "export { b } from './b.js';\n", message: /should export b/ },
  {
    what: 'a file that is absent',
    index: "export { c } from './c.js';\n",
    message: /c\.d\.ts does not exist; .*npm run build/,
  },
  { what: 'a module as one name', index: "export * as b from './b.js';\n", message: /one by one/ },
]
for (const { what, index, message } of refused) {
  test(`the check of the API refuses ${what}`, async t => {
    const { code, stderr } = await apiSurface(built(t, index, { 'b.d.ts': 'export {};\n' }))
    assert.equal(code, 1)
    assert.match(stderr, message)
  })
}

test('an entry that names no declarations is refused', async t => {
  const root = temporaryRepository(t, {
    'packages/p/package.json': '{ "name": "p", "exports": "./index.js" }',
  })
  const { code, stderr } = await apiSurface(root)
  assert.equal(code, 1)
  assert.match(stderr, /^p \.: the entry names no "types" in packages\/p\/package\.json$/m)
})
