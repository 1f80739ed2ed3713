import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { lex } from '../../scripts/check/lexer.js'
import { importsIn } from './imports.ts'
import { repository, runNode } from './run-script.ts'
import { filesBelow } from './sources.ts'

const scripts = filesBelow(repository, 'scripts').filter(path => path.endsWith('.js'))
const oldNode = findNode20()
const skip = oldNode === undefined ? 'node 20: none on the path outside node_modules' : false

/** A machine's own Node, not the one this repository brings along. */
function findNode20(): string | undefined {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter(folder => folder !== '' && !folder.includes('node_modules'))
    .map(folder => join(folder, name))
    .find(
      path =>
        existsSync(path) && spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.startsWith('v20.'),
    )
}

test('the scripts parse on Node 20', { skip }, async t => {
  assert.ok(scripts.includes('scripts/run.js'))
  for (const script of scripts) {
    await t.test(script, async () => {
      const { code, stderr } = await runNode(['--check', script], oldNode)
      assert.equal(code, 0, stderr)
    })
  }
})

test('what the scripts import from Node exists on Node 20', { skip }, async () => {
  const wanted = scripts.flatMap(script => builtinNamesIn(script))
  assert.ok(wanted.some(({ module, name }) => module === 'node:fs' && name === 'readFileSync'))
  const program = `
    const missing = []
    for (const { script, module, name } of ${JSON.stringify(wanted)}) {
      const found = await import(module).catch(() => undefined)
      if (found === undefined || !(name in found)) missing.push(script + ': ' + name + ' of ' + module)
    }
    console.log(missing.join('\\n'))`
  const { code, stdout, stderr } = await runNode(['--input-type=module', '--eval', program], oldNode)
  assert.equal(code, 0, stderr)
  assert.equal(stdout.trim(), '')
})

/** The names in `import { a, b as c } from 'node:…'`. */
function builtinNamesIn(script: string): { script: string; module: string; name: string }[] {
  const text = readFileSync(join(repository, script), 'utf8')
  const tokens = lex(text)
  return importsIn(text)
    .filter(({ specifier }) => isBuiltin(specifier))
    .flatMap(({ specifier, line }) => {
      const end = tokens.findIndex(token => token.line === line && token.value === specifier)
      const start = tokens.findLastIndex((token, at) => at < end && token.text === 'import')
      const list = tokens.slice(start, end)
      return list.flatMap((token, at) => {
        const startsEntry = ['{', ','].includes(list[at - 1]?.text ?? '')
        return startsEntry && token.kind === 'word' ? [{ script, module: specifier, name: token.text }] : []
      })
    })
}

for (const script of [
  'scripts/check/all.js',
  'scripts/check/api-surface.js',
  'scripts/contract/coverage.js',
]) {
  test(`${script} explains itself on Node 20`, { skip }, async () => {
    const { code, stdout, stderr } = await runNode([script, '--help'], oldNode)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^Usage: /)
  })
}
