import assert from 'node:assert/strict'
import { test } from 'node:test'
import { longFiles, machineTraces, mostLines } from './files.ts'
import { repository } from './run-script.ts'
import { temporaryRepository } from './temporary-repository.ts'

test('every source file can be read in one sitting', () => {
  const long = longFiles(repository)
  assert.ok(long.length === 0, `\nmore than ${mostLines} lines:\n${long.join('\n')}`)
})

test('no file names a folder or a package registry of one machine', () => {
  const traces = machineTraces(repository, process.env.npm_config_registry)
  assert.ok(traces.length === 0, `\n${traces.join('\n')}`)
})

test('the length of files: the limit is allowed, one line more is reported, tests too', t => {
  const root = temporaryRepository(t, {
    'packages/p/package.json': '{}',
    'packages/p/src/at-the-limit.ts': '\n'.repeat(mostLines),
    'packages/p/src/no-last-newline.ts': `${'\n'.repeat(mostLines)}//`,
    'packages/p/src/room/long.test.ts': '\n'.repeat(mostLines + 1),
    'packages/p/dist/made.ts': '\n'.repeat(1000),
  })
  assert.deepEqual(longFiles(root), [
    `packages/p/src/no-last-newline.ts: ${mostLines + 1} lines`,
    `packages/p/src/room/long.test.ts: ${mostLines + 1} lines`,
  ])
})

test('traces of a machine: folders and hosts are found, what only looks like them is not', t => {
  // Put together here, so that this file names none itself.
  const [home, host] = [['', 'home', 'ada', 'x'].join('/'), ['registry', 'npmjs', 'org'].join('.')]
  const root = temporaryRepository(t, {
    '.npmrc': `fund=false\nregistry=https://${host}/\n`,
    'docs/guide.md': `see https://example.org${home} and ./${home.slice(1)} and ~${home}\n`,
    'docs/install.md': `run ${home}\n`,
    'node_modules/p/index.js': `'${home}'`,
    'package-lock.json': '{ "resolved": "https://mirror.example.net/p.tgz" }',
    'packages/p/src/a.ts': `const file = '${home}'\nconst url = 'file://${home}'\nregistry.checks.get('x')\n`,
  })
  assert.deepEqual(
    machineTraces(root, undefined).map(trace => trace.replace(/: .*/, '')),
    ['.npmrc:2', 'docs/install.md:1', 'packages/p/src/a.ts:1', 'packages/p/src/a.ts:2'],
  )
  assert.deepEqual(machineTraces(root, 'https://mirror.example.net:8080/npm/').slice(2, 3), [
    'package-lock.json:1: mirror.example.net',
  ])
  assert.equal(machineTraces(root, 'http://127.0.0.1:4873/').length, 4)
})
