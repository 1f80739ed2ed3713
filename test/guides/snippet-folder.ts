import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { root } from '../end-to-end/ledger-process.ts'

const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

/** How a page's files are compiled. */
export interface Compilation {
  /**
   * Nest's decorators, or standard ones: Node cannot run them as they are, so the compiled files are run. Without it the
   * files have to be such that Node runs them itself.
   */
  readonly decorators?: boolean | 'standard'
  /** Declarations of packages that have none, relative to `test/frameworks`. */
  readonly declarations?: readonly string[]
  /** `false` only writes the files: the framework has no types of its own. Default `true`. */
  readonly typed?: boolean
}

/** The files of one page, where the packages of one workspace resolve. */
export interface SnippetFolder {
  readonly path: string
  /** The file to run for one of the sources. */
  runnable(name: string): string
}

/**
 * Writes a page's files where the framework of a workspace of `test/frameworks` is found, and has them compiled the
 * way a strict service is. They see the packages as a consumer does: built. The folder goes with the test.
 * @throws what the compiler says
 */
export async function snippetFolder(
  t: TestContext,
  workspace: string,
  files: Readonly<Record<string, string>>,
  { decorators = false, declarations = [], typed = true }: Compilation = {},
): Promise<SnippetFolder> {
  // In `dist`, which git, the linter and the tests about the repository's files leave alone.
  const made = join(root, 'test', 'frameworks', workspace, 'dist')
  mkdirSync(made, { recursive: true })
  const path = mkdtempSync(join(made, 'snippets-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  const sources = [
    ...Object.keys(files).filter(name => name.endsWith('.ts')),
    ...declarations.map(name => join(root, 'test', 'frameworks', name)),
  ]
  if (typed) await compile(path, workspace, sources, decorators)
  return {
    path,
    runnable: name => (decorators ? join(path, 'compiled', name.replace(/\.ts$/, '.js')) : join(path, name)),
  }
}

function compile(
  path: string,
  workspace: string,
  files: readonly string[],
  decorators: boolean | 'standard',
): Promise<void> {
  const options = {
    target: 'es2024',
    lib: ['es2024'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    rewriteRelativeImportExtensions: true,
    rootDir: '.',
    outDir: 'compiled',
    ...(decorators === true ? { experimentalDecorators: true, emitDecoratorMetadata: true } : {}),
    ...(decorators === false ? { erasableSyntaxOnly: true, verbatimModuleSyntax: true } : {}),
  }
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }))
  return new Promise((done, failed) => {
    execFile(process.execPath, [compiler, '-p', path], (error, stdout, stderr) => {
      if (error === null) done()
      else failed(new Error(`the page's files do not compile with ${workspace}:\n${stdout}${stderr}`))
    })
  })
}
