import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsIn } from './imports.ts'

test('every way to name another module is found, with its line', () => {
  const found = importsIn(`import a from 'default'
import * as b from 'star'
import c, { type D, e as f } from 'named'
import type { G } from 'type'
import 'effect'
import {
  long,
} from 'several-lines'
export { h } from 'export-list'
export type { I } from 'export-type'
export * from 'export-star'
export * as j from 'export-namespace'
const k = await import('expression')
type L = import('in-a-type').L
const m = await import(\`template\`)
import { version } from '../package.json' with { type: 'json' }`)
  assert.deepEqual(
    found.map(({ specifier, line, dynamic }) => `${line} ${specifier}${dynamic ? ' dynamic' : ''}`),
    [
      '1 default',
      '2 star',
      '3 named',
      '4 type',
      '5 effect',
      '8 several-lines',
      '9 export-list',
      '10 export-type',
      '11 export-star',
      '12 export-namespace',
      '13 expression dynamic',
      '14 in-a-type dynamic',
      '15 template dynamic',
      '16 ../package.json',
    ],
  )
})

test('what only looks like an import is none', () => {
  const found = importsIn(`// import a from 'comment'
/* import b from 'comment' */
const c = "import d from 'string'"
const e = \`import f from 'template' \${'import'}\`
const g = /import h from 'regex'/
const i = { import: 'member', from: 'member' }
const j = import.meta.url
const k = loader.import('method')
export { c, e as from }
export const from = 'variable'
export type { J }
const l = await import(computed)`)
  assert.deepEqual(found, [])
})
