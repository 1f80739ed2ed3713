import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Outcome, runNode } from './run-script.ts'
import { temporaryRepository } from './temporary-repository.ts'

/** Runs the check of the API on a repository. */
export function apiSurface(root: string, ...options: string[]): Promise<Outcome> {
  return runNode(['scripts/check/api-surface.js', '--root', root, ...options])
}

/** Two entries, `.` and `./deep/entry`. */
export const manifest: string = JSON.stringify({
  name: 'p',
  exports: {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './deep/entry': { import: { types: './dist/entry.d.ts' } },
    './package.json': './package.json',
  },
})

/** A repository with one built package; the declarations are in the form the compiler gives them. */
export function built(t: TestContext, index: string, others: Record<string, string> = {}): string {
  const declarations = { 'index.d.ts': index, 'entry.d.ts': 'export {};\n', ...others }
  const files = Object.entries(declarations).map(([name, text]) => [`packages/p/dist/${name}`, text])
  return temporaryRepository(t, { 'packages/p/package.json': manifest, ...Object.fromEntries(files) })
}

/** The text of a committed snapshot. */
export function snapshotOf(root: string, entry = 'index'): string {
  return readFileSync(join(root, `packages/p/api/${entry}.api.txt`), 'utf8')
}
