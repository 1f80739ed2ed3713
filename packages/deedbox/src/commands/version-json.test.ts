import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { programRun } from '../testing/program-output.ts'
import { ciFacts } from './ci-facts.ts'
import { sourceUrl } from './version-facts.ts'

const source = join(import.meta.dirname, '..', 'testing', 'version-json-child.ts')

/** Nothing of the CI system that runs the tests, nor of a repository around a temporary folder. */
function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, GIT_CEILING_DIRECTORIES: tmpdir(), HOME: tmpdir(), ...more }
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'deedbox-version-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A real repository with one commit. */
function repository(t: TestContext, remote?: string) {
  const path = folder(t)
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: path, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  git('init', '-q')
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false']
  git(...who, 'commit', '-q', '--allow-empty', '-m', 'first')
  if (remote !== undefined) git('remote', 'add', 'origin', remote)
  return { path, git, commit: git('rev-parse', 'HEAD') }
}

async function versionJson(cwd: string, variables: Readonly<Record<string, string>> = {}, ...args: string[]) {
  const { code, stdout, stderr } = await programRun(source, args, { cwd, env: environment(variables) })
  return {
    code,
    stdout,
    stderr,
    object: code === 0 && stdout.startsWith('{') ? JSON.parse(stdout) : undefined,
  }
}

test('DF-05 DF-59 sample 78 from git alone: https without user, the tag of the commit, no build', async t => {
  const { path, git, commit } = repository(t, 'https://me:ghp_secret@github.com/acme/shop.git')
  const expected = { source: 'https://github.com/acme/shop', version: '', commit, build: '' }
  const { stdout, stderr } = await versionJson(path)
  assert.equal(stdout, `${JSON.stringify(expected, undefined, 2)}\n`)
  assert.equal(stderr, '')
  git('tag', 'v1.0.0')
  mkdirSync(join(path, 'inner'))
  assert.deepEqual((await versionJson(join(path, 'inner'))).object, { ...expected, version: 'v1.0.0' })
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false']
  git(...who, 'commit', '-q', '--allow-empty', '-m', 'second')
  assert.equal((await versionJson(path)).object.version, '')
})

test('DF-05 to a file, and by options', async t => {
  const { path, commit } = repository(t)
  const more = [
    '--source',
    'git@example.com:acme/shop.git',
    '--version',
    '7',
    '--build',
    'https://ci.example/1',
  ]
  const { code, stdout } = await versionJson(path, {}, '--out', 'version.json', ...more)
  assert.deepEqual([code, stdout], [0, ''])
  assert.deepEqual(JSON.parse(readFileSync(join(path, 'version.json'), 'utf8')), {
    source: 'https://example.com/acme/shop',
    version: '7',
    commit,
    build: 'https://ci.example/1',
  })
})

const commit = '52ce614fbf99540a1bf6228e36be6cef63b4d73b'
const systems: Readonly<Record<string, { variables: Record<string, string>; build: string }>> = {
  'GitHub Actions': {
    variables: {
      GITHUB_ACTIONS: 'true',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_SHA: commit,
      GITHUB_REF_TYPE: 'tag',
      GITHUB_REF_NAME: 'v2',
      GITHUB_RUN_ID: '2223',
    },
    build: 'https://github.com/acme/shop/actions/runs/2223',
  },
  CircleCI: {
    variables: {
      CIRCLECI: 'true',
      CIRCLE_REPOSITORY_URL: 'git@github.com:acme/shop.git',
      CIRCLE_SHA1: commit,
      CIRCLE_TAG: 'v2',
      CIRCLE_BUILD_URL: 'https://circleci.com/gh/acme/shop/2223',
    },
    build: 'https://circleci.com/gh/acme/shop/2223',
  },
  'GitLab CI': {
    variables: {
      GITLAB_CI: 'true',
      CI_PROJECT_URL: 'https://github.com/acme/shop',
      CI_COMMIT_SHA: commit,
      CI_COMMIT_TAG: 'v2',
      CI_JOB_URL: 'https://gitlab.com/acme/shop/-/jobs/9',
    },
    build: 'https://gitlab.com/acme/shop/-/jobs/9',
  },
  Taskcluster: {
    variables: {
      TASKCLUSTER_ROOT_URL: 'https://tc.example/',
      TASK_ID: 'abc',
      RUN_ID: '0',
      SHOP_HEAD_REPOSITORY: 'https://github.com/acme/shop',
      SHOP_HEAD_REV: commit,
      SHOP_HEAD_TAG: 'v2',
    },
    build: 'https://tc.example/tasks/abc/runs/0',
  },
  Buildkite: {
    variables: {
      BUILDKITE: 'true',
      BUILDKITE_REPO: 'ssh://git@github.com:22/acme/shop.git',
      BUILDKITE_COMMIT: commit,
      BUILDKITE_TAG: 'v2',
      BUILDKITE_BUILD_URL: 'https://buildkite.com/acme/shop/builds/7',
    },
    build: 'https://buildkite.com/acme/shop/builds/7',
  },
  'Azure Pipelines': {
    variables: {
      TF_BUILD: 'True',
      BUILD_REPOSITORY_URI: 'https://acme@github.com/acme/shop',
      BUILD_SOURCEVERSION: commit,
      BUILD_SOURCEBRANCH: 'refs/tags/v2',
      SYSTEM_COLLECTIONURI: 'https://dev.azure.com/acme/',
      SYSTEM_TEAMPROJECT: 'shop',
      BUILD_BUILDID: '7',
    },
    build: 'https://dev.azure.com/acme/shop/_build/results?buildId=7',
  },
  Jenkins: {
    variables: {
      JENKINS_URL: 'https://ci.example/',
      GIT_URL: 'https://github.com/acme/shop.git',
      GIT_COMMIT: commit,
      TAG_NAME: 'v2',
      BUILD_URL: 'https://me:secret@ci.example/job/shop/7/',
    },
    build: 'https://ci.example/job/shop/7/',
  },
}

for (const [name, { variables, build }] of Object.entries(systems)) {
  test(`DF-05 from the variables of ${name}`, () => {
    const expected = { source: 'https://github.com/acme/shop', commit, version: 'v2', build }
    assert.deepEqual(ciFacts(variables), expected)
  })
}

test('DF-05 where the variables of a CI system say all, there need be no git', async t => {
  const { variables = {}, build } = systems['GitHub Actions'] ?? {}
  const { object, stderr } = await versionJson(folder(t), { ...variables, PATH: folder(t) })
  const expected = { source: 'https://github.com/acme/shop', version: 'v2', commit, build }
  assert.deepEqual([object, stderr], [expected, ''])
})

test('DF-05 what the CI system does not say is git’s; where they differ, that is said', async t => {
  const { path, git, commit: head } = repository(t, 'git@github.com:acme/shop.git')
  git('tag', 'v1')
  const build = 'https://gitlab.com/acme/shop/-/jobs/9'
  const shop = 'https://github.com/acme/shop'
  const first = await versionJson(path, { GITLAB_CI: 'true', CI_JOB_URL: build, CI_COMMIT_SHA: 'HEAD' })
  assert.deepEqual([first.object, first.stderr], [{ source: shop, version: 'v1', commit: head, build }, ''])
  const { object, stderr } = await versionJson(path, { ...systems.CircleCI?.variables, CIRCLE_TAG: '' })
  assert.deepEqual([object.commit, object.version], [commit, ''])
  assert.match(stderr, new RegExp(`The repository here is at ${head}, and the version object says ${commit}`))
})

test('DF-05 what cannot be found out is said, with exit code 1; wrong use is 2', async t => {
  const { path, git } = repository(t)
  const empty = folder(t)
  const problem = async (cwd: string, variables = {}): Promise<string> => {
    const { code, stdout, stderr } = await versionJson(cwd, variables)
    assert.deepEqual([code, stdout], [1, ''])
    return stderr
  }
  assert.match(
    await problem(path),
    /^deedbox: The repository cannot be found out: the repository has no remote\./,
  )
  git('remote', 'add', 'other', '/srv/git/shop.git')
  assert.match(await problem(path), /its remote is no address that others reach\. .*Give --source/)
  assert.match(await problem(empty), /git says "not a git repository/)
  assert.match(await problem(empty, { PATH: empty }), /git is not installed/)
  execFileSync('git', ['init', '-q'], { cwd: empty })
  assert.match(await problem(empty), /the repository has no commit/)
  for (const args of [['--nope'], ['extra'], ['--source', '/srv/git'], ['--out']])
    assert.equal((await versionJson(path, {}, ...args)).code, 2, args.join(' '))
  const help = await versionJson(path, {}, '--help')
  assert.equal(help.code, 0)
  assert.match(help.stdout, /^Usage: deedbox version-json.*Exit codes:.*Examples/s)
})

test('remotes as pages that people open', () => {
  const expected: Readonly<Record<string, string | undefined>> = {
    'git@github.com:acme/shop.git': 'https://github.com/acme/shop',
    'github.com:acme/shop': 'https://github.com/acme/shop',
    'ssh://git@git.example:2222/acme/shop.git/': 'https://git.example/acme/shop',
    'git://git.example/acme/shop': 'https://git.example/acme/shop',
    'http://u:p@git.example:8080/acme/shop.git?token=x#y': 'http://git.example:8080/acme/shop',
    'git@git.example:/srv/shop.git': 'https://git.example/srv/shop',
    'file:///srv/git/shop': undefined,
    '/srv/git/shop': undefined,
    '../shop': undefined,
    'C:\\git\\shop': undefined,
    'C:/git/shop': undefined,
    '': undefined,
  }
  for (const [remote, url] of Object.entries(expected)) assert.equal(sourceUrl(remote), url, remote)
})

test('DF-05 what cannot be written, a repository without a commit, and a commit cut short are said as such', async t => {
  const { path, commit } = repository(t, 'https://github.com/acme/shop.git')
  const unwritten = await versionJson(path, {}, '--out', 'dist2/v.json')
  const said = 'deedbox: dist2/v.json cannot be written: there is no folder dist2. Make it first.\n'
  assert.deepEqual([unwritten.code, unwritten.stderr], [1, said])
  const github = { GITHUB_ACTIONS: 'true', GITHUB_SHA: commit.slice(0, 7) }
  const short = await versionJson(path, github)
  assert.equal(short.object.commit, commit)
  assert.match(short.stderr, new RegExp(`says "${commit.slice(0, 7)}" is the commit, which is cut short`))
  assert.equal((await versionJson(path, github, '--commit', commit)).stderr, '')
  const fresh = folder(t)
  for (const args of [
    ['init', '-q'],
    ['remote', 'add', 'origin', 'https://github.com/acme/shop.git'],
  ])
    execFileSync('git', args, { cwd: fresh, stdio: 'ignore' })
  assert.match(
    (await versionJson(fresh)).stderr,
    /^deedbox: The commit cannot be found out: the repository has no commit\./,
  )
})
