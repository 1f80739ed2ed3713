import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arrowViolations } from './arrows.ts'
import { repository } from './run-script.ts'
import { temporaryRepository } from './temporary-repository.ts'

test('the packages, their rooms and their names follow the arrows of the design', () => {
  const violations = arrowViolations(repository)
  assert.ok(violations.length === 0, `\n${violations.join('\n')}`)
})

/** A repository that keeps every rule, for tests to break one. */
const lawful: Record<string, string> = {
  'package.json': '{ "devDependencies": { "fast-check": "1" } }',
  'packages/tlog/package.json': '{ "name": "@deedbox/tlog", "dependencies": { "canonicalize": "1" } }',
  'packages/tlog/src/index.ts': "export { root } from './tree/index.ts'\n",
  'packages/tlog/src/errors.ts': 'export const codes = []\n',
  'packages/tlog/src/tree/index.ts': "export { root } from './root.ts'\n",
  'packages/tlog/src/tree/root.ts': "import { codes } from '../errors.ts'\nimport c from 'canonicalize'\n",
  'packages/tlog/src/tree/root.test.ts': "import { test } from 'node:test'\nimport fc from 'fast-check'\n",
  'packages/deedbox/package.json':
    '{ "name": "deedbox", "dependencies": { "@deedbox/tlog": "1" }, "devDependencies": { "express": "5" },' +
    ' "peerDependencies": { "@deedbox/ledger": "1", "express": "5" } }',
  'packages/deedbox/src/commands/index.ts': "const ledger = await import('@deedbox/ledger/commands')\n",
  'packages/deedbox/src/frameworks/express.ts': "import type { Server } from 'node:http'\n",
  'packages/deedbox/src/frameworks/express.test.ts': "import express from 'express'\n",
  'packages/ledger/package.json':
    '{ "name": "@deedbox/ledger", "dependencies": { "@deedbox/tlog": "1", "deedbox": "1" } }',
  'packages/ledger/src/index.ts': "import { deedbox } from 'deedbox'\nimport { root } from '@deedbox/tlog'\n",
}

test('a repository that keeps the rules has no violation', t => {
  assert.deepEqual(arrowViolations(temporaryRepository(t, lawful)), [])
})

const broken: { rule: string; files: Record<string, string>; violations: string[] }[] = [
  {
    rule: 'an arrow between packages against the design, in a test and in a type',
    files: {
      'packages/deedbox/src/audit/send.test.ts': "\nimport { openLedger } from '@deedbox/ledger'\n",
      'packages/deedbox/src/audit/send.ts': "export type { Ledger } from '@deedbox/ledger'\n",
      'packages/tlog/src/errors.ts': "type Box = import('deedbox').Box\n",
    },
    violations: [
      "packages/deedbox/src/audit/send.test.ts:2: imports '@deedbox/ledger': no arrow leads from deedbox to ledger",
      "packages/deedbox/src/audit/send.ts:1: imports '@deedbox/ledger': no arrow leads from deedbox to ledger",
      "packages/tlog/src/errors.ts:1: imports 'deedbox': no arrow leads from tlog to deedbox",
      "packages/tlog/src/errors.ts:1: imports 'deedbox': packages/tlog/package.json does not declare deedbox",
    ],
  },
  {
    rule: 'the one dynamic import, made static or elsewhere or for another entry',
    files: {
      'packages/deedbox/src/commands/index.ts':
        "import { serve } from '@deedbox/ledger/commands'\nconst ledger = await import('@deedbox/ledger')\n",
      'packages/deedbox/src/audit/send.ts': "const ledger = await import('@deedbox/ledger/commands')\n",
    },
    violations: [
      "packages/deedbox/src/audit/send.ts:1: imports '@deedbox/ledger/commands': no arrow leads from deedbox to ledger",
      "packages/deedbox/src/commands/index.ts:1: imports '@deedbox/ledger/commands': no arrow leads from deedbox to ledger",
      "packages/deedbox/src/commands/index.ts:2: imports '@deedbox/ledger': no arrow leads from deedbox to ledger",
    ],
  },
  {
    rule: 'a room entered past its index, from a room and from src itself, but not in a test',
    files: {
      'packages/tlog/src/notes/index.ts': "import { root } from '../tree/root.ts'\n",
      'packages/tlog/src/notes/index.test.ts': "import { root } from '../tree/root.ts'\n",
      'packages/tlog/src/node.ts': "export { root } from './tree/root.ts'\n",
    },
    violations: [
      "packages/tlog/src/node.ts:1: imports './tree/root.ts': the room tree is entered through its index.ts only",
      "packages/tlog/src/notes/index.ts:1: imports '../tree/root.ts': the room tree is entered through its index.ts only",
    ],
  },
  {
    rule: 'another package reached by its path, and the own one by its name',
    files: {
      'packages/ledger/src/own.ts': "import { own } from '@deedbox/ledger'\n",
      'packages/ledger/src/path.test.ts':
        "import '../../tlog/src/index.ts'\nimport '../../../test/load.ts'\n",
      'packages/ledger/src/path.ts': "import manifest from '../package.json' with { type: 'json' }\n",
    },
    violations: [
      "packages/ledger/src/own.ts:1: imports '@deedbox/ledger': inside a package, imports are relative",
      "packages/ledger/src/path.test.ts:1: imports '../../tlog/src/index.ts': it leaves the sources of its package; another package is imported by its name",
      "packages/ledger/src/path.ts:1: imports '../package.json': it leaves the sources of its package; another package is imported by its name",
    ],
  },
  {
    rule: 'a circle of files',
    files: {
      'packages/tlog/src/tree/root.ts': "import { a } from './a.ts'\n",
      'packages/tlog/src/tree/a.ts': "\nimport { b } from './b.ts'\n",
      'packages/tlog/src/tree/b.ts': "import { a } from './a.ts'\n",
    },
    violations: [
      'packages/tlog/src/tree/a.ts:2: these files import one another in a circle: packages/tlog/src/tree/a.ts → packages/tlog/src/tree/b.ts → packages/tlog/src/tree/a.ts; by way of packages/tlog/src/tree/b.ts:1',
    ],
  },
  {
    rule: 'a circle of rooms that is none of files, and one by way of a file in src',
    files: {
      'packages/tlog/src/a/index.ts': "export { x } from './x.ts'\n",
      'packages/tlog/src/a/x.ts': 'export const x = 1\n',
      'packages/tlog/src/a/y.ts': "import { b } from '../b/index.ts'\n",
      'packages/tlog/src/b/index.ts': "import { x } from '../a/index.ts'\n",
      'packages/tlog/src/c/index.ts': 'export const c = 1\n',
      'packages/tlog/src/c/z.ts': "import { all } from '../index.ts'\n",
      'packages/tlog/src/index.ts': "export { c } from './c/index.ts'\n",
    },
    violations: [
      'packages/tlog/src/a/y.ts:1: these rooms import one another in a circle: a → b → a; by way of packages/tlog/src/b/index.ts:1',
      'packages/tlog/src/c/z.ts:1: these rooms import one another in a circle: c → index.ts → c; by way of packages/tlog/src/index.ts:1',
    ],
  },
  {
    rule: 'an adapter that imports its framework',
    files: { 'packages/deedbox/src/frameworks/express.ts': "import type { Request } from 'express'\n" },
    violations: [
      "packages/deedbox/src/frameworks/express.ts:1: imports 'express': an adapter describes its framework by structural types and imports none",
    ],
  },
  {
    rule: 'packages that the manifest does not declare, or for tests only',
    files: {
      'packages/tlog/src/errors.ts': "import fc from 'fast-check'\nexport * from '@noble/hashes/sha2.js'\n",
      'packages/deedbox/src/audit/send.test.ts': "import express from 'express'\nimport pino from 'pino'\n",
    },
    violations: [
      "packages/deedbox/src/audit/send.test.ts:2: imports 'pino': packages/deedbox/package.json does not declare pino",
      "packages/tlog/src/errors.ts:1: imports 'fast-check': packages/tlog/package.json does not declare fast-check",
      "packages/tlog/src/errors.ts:2: imports '@noble/hashes/sha2.js': packages/tlog/package.json does not declare @noble/hashes",
    ],
  },
  {
    rule: 'names that say nothing, and a package the design does not know',
    files: {
      'packages/tlog/src/tree/types.ts': '',
      'test/lib/load.ts': '',
      'packages/tools/package.json': '{ "name": "tools" }',
    },
    violations: [
      'packages/tools/package.json:1: the design has no arrows for a package of this name',
      'packages/tlog/src/tree/types.ts:1: the name "types.ts" does not say what is inside',
      'test/lib/load.ts:1: the name "lib" does not say what is inside',
    ],
  },
]

for (const { rule, files, violations } of broken) {
  test(`the arrows: reports ${rule}`, t => {
    assert.deepEqual(arrowViolations(temporaryRepository(t, { ...lawful, ...files })), violations)
  })
}
