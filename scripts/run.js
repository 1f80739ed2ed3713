// The one entry of every npm script. Plain JavaScript that Node 20 runs: on a fresh machine nothing else is
// installed yet. It installs what the lock file says, finds the pinned Node, builds, and hands over.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, constants, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './setup/build.js'
import { ensureInstalled } from './setup/install.js'
import { pinnedNode } from './setup/pinned-node.js'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** What runs from the sources (no build between an edit and its effect) resolves packages by this condition. */
const fromSource = ['--conditions=@deedbox/source']
/** Many tests wait for processes and timers, so two files at a time pay also where there are two processors. */
const atOnce = `--test-concurrency=${Math.max(2, availableParallelism() - 1)}`
const testFiles = [
  'packages/*/src/**/*.test.ts',
  'test/**/*.test.ts',
  'examples/*/*.test.ts',
  'bench/**/*.test.ts',
]

const command = 'packages/deedbox/bin/deedbox.js'

/** Each task: whether it needs the built packages, and the commands it runs with the pinned Node, in order. */
const tasks = {
  start: {
    built: true,
    commands: args => {
      knowOwnVersion()
      return [[command, 'serve', ...args]]
    },
  },
  build: { built: true, commands: () => [] },
  test: {
    built: true,
    commands: args => {
      const lines = mkdtempSync(join(tmpdir(), 'deedbox-lines-'))
      process.env.DEEDBOX_KEPT_LINES = lines
      ownSpool()
      const skipped = join(mkdtempSync(join(tmpdir(), 'deedbox-skipped-')), 'servers')
      process.env.DEEDBOX_SKIPPED = skipped
      return [
        [...fromSource, '--test', atOnce, '--test-reporter=spec', ...(args.length > 0 ? args : testFiles)],
        ['scripts/kept-lines.js', lines],
        ['scripts/skipped-servers.js', skipped],
      ]
    },
  },
  drills: {
    built: true,
    commands: args => {
      ownSpool()
      return [['scripts/drills.js', ...args]]
    },
  },
  check: { built: true, commands: () => [['scripts/check/all.js']] },
  bench: { built: true, commands: args => [['bench/main.ts', ...args]] },
  comparison: { built: false, commands: args => [['test/comparison/main.ts', ...args]] },
  example: { built: true, commands: args => [['scripts/example.js', ...args]] },
  format: {
    built: false,
    commands: () => [['node_modules/@biomejs/biome/bin/biome', 'check', '--write', '.']],
  },
  'coverage:contract': { built: false, commands: args => [['scripts/contract/coverage.js', ...args]] },
  'api:update': { built: true, commands: () => [['scripts/check/api-surface.js', '--update']] },
}

/** `/__version__` says which commit of which repository this is, where git knows both. */
function knowOwnVersion() {
  if (process.env.APP_DIR !== undefined) return
  const folder = join(root, 'node_modules/.cache/deedbox-version')
  const args = [command, 'version-json', '--out', join(folder, 'version.json')]
  mkdirSync(folder, { recursive: true })
  if (spawnSync(node, args, { cwd: root, stdio: 'ignore' }).status === 0) process.env.APP_DIR = folder
}

/** What tests send and lose must not wait in the user's own folder for their next service. */
function ownSpool() {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-spool-'))
  process.env.DEEDBOX_SPOOL = folder
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
}

const [name, ...args] = process.argv.slice(2)
const task = tasks[name ?? '']
if (task === undefined) {
  console.error(`There is no task "${name ?? ''}". The tasks are: ${Object.keys(tasks).join(', ')}.`)
  process.exit(2)
}

ensureInstalled(root)
const node = pinnedNode(root)
if (task.built) ensureBuilt(root, node)
for (const line of task.commands(args)) {
  const code = await run(node, line, task.env)
  if (code !== 0) process.exit(code)
}

/** Runs one command with the pinned Node, passes signals on to it, and resolves to its exit code. */
function run(node, command, env = {}) {
  return new Promise((done, failed) => {
    const child = spawn(node, command, {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        ...env,
        PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`,
      },
    })
    const forward = signal => child.kill(signal)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward)
    child.on('error', failed)
    child.on('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, forward)
      done(code ?? 128 + (constants.signals[signal] ?? 0))
    })
  })
}
