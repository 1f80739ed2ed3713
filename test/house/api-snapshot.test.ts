import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { apiSurface, built, manifest, snapshotOf } from './api-fixture.ts'
import { repository, runNode } from './run-script.ts'
import { temporaryRepository } from './temporary-repository.ts'

test('a snapshot holds each exported name with its declaration, followed to where it is', async t => {
  const root = built(
    t,
    `/// <reference types="node" />
import type { Server } from 'node:http';
import { local } from './tree/local.js';
import './effect.js';
export { start, type Options as StartOptions } from './tree/start.ts';
export { local as renamed };
export type { Server };
export { hash } from '@noble/hashes';
export * from './tree/star.js';
/** Overloads. */
export declare function twice(a: string): string;
export declare function twice(a: number /* a count */): number;
/** Two. */
export declare const one = 1, two: Map<string, [
    number,
    number
]>;
declare const main: () => void;
/** Runs. */
export default main;
declare module 'node:http' {
    interface IncomingMessage {
        deed?: string;
    }
}
//# sourceMappingURL=index.d.ts.map
`,
    {
      'tree/start.d.ts': `import type { Level } from './level.js';
/** Starts. */
export declare function start(options?: Options): Promise<void>;
/** How to start. */
export interface Options<T extends {
    a: 1;
} = {
    a: 1;
}> extends Pick<{
    b: T;
}, 'b'> {
    /** Not shown. */
    readonly level?: Level;
    'quoted; name': \`\${string}-\${Level}\`;
}
`,
      'tree/level.d.ts': "export type Level = 'a' | Depth;\ntype Depth = 1 | 2;\ntype Unused = 3;\n",
      'tree/local.d.ts': `/** A class. */
export declare abstract class Local {
    #private;
    private constructor();
    get size(): number;
}
/** Here. */
export declare const local: Local;
`,
      'tree/star.d.ts': '/** Starred. */\nexport type Starred = string;\nexport default Starred;\n',
      'effect.d.ts': 'declare global {\n    var deedbox: number;\n}\nexport {};\n',
    },
  )
  const { code, stderr } = await apiSurface(root, '--update')
  assert.equal(code, 0, stderr)
  assert.equal(
    snapshotOf(root),
    `# What entry "." of p exports.
# Written by \`npm run api:update\`, compared by \`npm run check\`.

(global)
  global {
    var deedbox: number;
  }

(module 'node:http')
  module 'node:http' {
    interface IncomingMessage {
      deed?: string;
    }
  }

(not exported) Depth
  type Depth = 1 | 2

(not exported) Level
  type Level = 'a' | Depth

(not exported) Local
  abstract class Local {
    #private;
    private constructor();
    get size(): number;
  }

Server
  Server of 'node:http'

Starred
  type Starred = string

StartOptions
  interface Options<T extends {
    a: 1;
  } = {
    a: 1;
  }> extends Pick<{
    b: T;
  }, 'b'> {
    readonly level?: Level;
    'quoted; name': \`\${string}-\${Level}\`;
  }

default
  const main: () => void

hash
  hash of '@noble/hashes'

one
  const one = 1

renamed
  const local: Local

start
  function start(options?: Options): Promise<void>

twice
  function twice(a: string): string
  function twice(a: number): number

two
  const two: Map<string, [number, number]>
`,
  )
  assert.match(snapshotOf(root, 'deep/entry'), /^# What entry "\.\/deep\/entry" of p exports\.\n/)
})

test('declarations laid out otherwise have the same snapshot', async t => {
  const root = built(t, '/** A. */\nexport declare const a: [x: string, y: { z: 1; }] | null;\n')
  await apiSurface(root, '--update')
  writeFileSync(
    join(root, 'packages/p/dist/index.d.ts'),
    '/** B. */\ndeclare const a: [\n  x: string,\n\n  y: {\n    z: 1;\n  }, // w\n] | null;\nexport { a };\n',
  )
  const { code, stdout } = await apiSurface(root)
  assert.equal(code, 0)
  assert.match(stdout, /^p \.: 1 name, as committed$/m)
})

test('what the compiler of this repository emits is read', async t => {
  const root = temporaryRepository(t, {
    'packages/p/package.json': manifest.replace('./deep/entry', './code').replace('entry.d.ts', 'code.d.ts'),
    'package.json': '{ "type": "module" }',
    'src/index.ts': `export { type Code, CodedError } from './code.ts'
/** Made. */
export const make = <const T extends readonly string[]>(names: T, size = 3): { [K in T[number]]: number } => {
  const all: Partial<Record<T[number], number>> = {}
  for (const name of names as readonly T[number][]) all[name] = size
  return all as { [K in T[number]]: number }
}
`,
    'src/code.ts': `/** Codes. */
export type Code =
  | 'one'
  | 'two'
/** Coded. */
export class CodedError<T extends { of: Code } = { of: 'one' }> extends Error {
  static #count = 0
  /** Not shown. */
  readonly code: Code
  constructor(code: Code, readonly_: T) {
    super(code + JSON.stringify(readonly_))
    this.code = code
    CodedError.#count += 1
  }
  get count(): number {
    return CodedError.#count
  }
  isOne(): this is CodedError<{ of: 'one' }> {
    return this.code === 'one'
  }
}
`,
    'tsconfig.json': JSON.stringify({
      extends: join(repository, 'tsconfig.build.json'),
      compilerOptions: { rootDir: 'src', outDir: 'packages/p/dist', types: [] },
      include: ['src'],
    }),
  })
  const compiled = await runNode(['node_modules/typescript/bin/tsc', '-p', root])
  assert.equal(compiled.code, 0, compiled.stdout)
  const { code, stderr } = await apiSurface(root, '--update')
  assert.equal(code, 0, stderr)
  assert.equal((await apiSurface(root)).code, 0)
  const snapshot = snapshotOf(root)
  assert.match(snapshot, /\nCode\n {2}type Code = 'one' \| 'two'\n/)
  assert.match(snapshot, /\nCodedError\n {2}class CodedError<T extends \{\n/)
  assert.match(snapshot, /\n {4}isOne\(\): this is CodedError<\{\n/)
  assert.match(
    snapshot,
    /\nmake\n {2}const make: <const T extends readonly string\[\]>\(names: T, size\?: number\) => \{\n/,
  )
})
