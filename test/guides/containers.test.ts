import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readDockerfile } from '../../packages/deedbox/src/commands/check-dockerfile.ts'
import { deedbox, root } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/containers.md')
const server = page.fence('// server.ts')
const dockerfile = page.fence('FROM node:24-slim')
const ignored = page.fence('**/node_modules')
const steps = page.fence('- name: Build')
const command = page.fence('deedbox check http')
const report = page.fence('Build 1      pass')
const ledger = page.fence('build: .')
const up = page.fence('docker compose up')
const administration = page.fence('keys list')
const kubernetes = page.fence('livenessProbe')
const ecs = page.fence('"healthCheck"')

const text = (path: string): string => readFileSync(join(root, path), 'utf8')
const example = 'examples/express-service'

/** What GitHub tells a job. */
const job = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'acme/shop',
  GITHUB_SHA: 'c636845f00c636845f00c636845f00c636845f00',
  GITHUB_RUN_ID: '7',
  GITHUB_REF_TYPE: 'tag',
  GITHUB_REF_NAME: 'v1.2.0',
}

test('DF-05 DF-58 DF-60 DF-64 FA-63 guide, containers: the service of the page, its files, and the report as it is shown (samples 78, 87)', async t => {
  assert.equal(dockerfile, text(`${example}/Dockerfile`))
  assert.equal(ignored, text(`${example}/.dockerignore`))
  const workflow = text(`${example}/.github/workflows/image.yml`)
  assert(workflow.includes(steps))
  page.says('`npx deedbox version-json --out version.json`')
  assert(workflow.includes('run: npx deedbox version-json --out version.json\n'))
  const version = await deedbox(['version-json'], { env: cleanEnv(job), cwd: tmpdir() })
  assert.equal(version.code, 0, version.stderr)
  const folder = await snippetFolder(t, 'express-5', {
    'server.ts': server,
    'package.json': '{ "type": "module" }',
    'version.json': version.stdout,
    Dockerfile: dockerfile,
    '.dockerignore': ignored,
    '.github/workflows/image.yml': workflow,
  })
  const running = await startService(t, folder.runnable('server.ts'), { env: { PORT: '0' } })
  assert.equal(command, 'npx deedbox check http://localhost:8000 .\n')
  const args = ['check', `http://localhost:${running.port}`, '.']
  const { code, stdout, stderr } = await deedbox(args, { cwd: folder.path })
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal(stdout, report)
  // It ends by the signal itself; as the first process of a container, with 0.
  assert.equal(await running.stop(), 'SIGTERM')
})

test('DF-57 DF-60 DF-61 DF-62 DF-63 guide, containers: the example and this repository pass the check of their folders', async () => {
  for (const folder of [join(root, example), root]) {
    const { code, stdout } = await deedbox(['check', folder])
    assert.equal(code, 0, stdout)
    assert.doesNotMatch(stdout, / (FAIL|warn) /)
  }
})

test('X-13 X-18 guide, containers: compose, commands and probes name what there is', async () => {
  const compose = text('compose.yaml')
  assert(compose.includes(ledger))
  for (const line of up.trimEnd().split('\n')) assert(compose.includes(line), line)
  for (const setting of ['read_only: true', 'cap_drop: [ALL]', 'no-new-privileges:true', 'tmpfs: ["/tmp"]']) {
    assert.equal(compose.split(setting).length, 3, `both services say ${setting}`)
  }
  const file = readDockerfile(text('Dockerfile'))
  const program =
    file.stages
      .at(-1)
      ?.instructions.find(({ name }) => name === 'ENTRYPOINT')
      ?.json?.join(' ') ?? ''
  for (const line of administration.trimEnd().split('\n')) {
    const [, name = ''] = new RegExp(`^docker compose exec ledger ${program} (\\w+) `).exec(line) ?? []
    assert.equal((await deedbox([name, '--help'])).code, 0, line)
  }
  const probes = [...kubernetes.matchAll(/(\w+)Probe:\n +httpGet: \{ path: (\S+), port: (\d+) \}/g)]
  assert.deepEqual(
    probes.map(([, name, path, port]) => `${name} ${path} ${port}`),
    ['startup /__lbheartbeat__ 8000', 'liveness /__lbheartbeat__ 8000', 'readiness /__readiness__ 8000'],
  )
  for (const [, script = ''] of dockerfile.matchAll(/"--eval", "(.*)"\]/g)) {
    const [, , , own = ''] = (JSON.parse(ecs) as { healthCheck: { command: string[] } }).healthCheck.command
    const same = own
      .replace("'http://127.0.0.1:8000/", `\`http://127.0.0.1:\${process.env.PORT}/`)
      .replace("__'", '__`')
    assert.equal(same, script)
    // Nothing listens there: the check fails, and is a program that runs.
    assert.throws(
      () => execFileSync(process.execPath, ['--eval', own.replace(':8000', ':1')], { stdio: 'pipe' }),
      {
        status: 1,
      },
    )
  }
})

test('DF-57 guide, containers: only the job that publishes may write packages, and a container that fails says why', () => {
  page.says('Only the job that publishes, on pushes alone, may write packages')
  for (const folder of ['.', example]) {
    const workflow = text(`${folder}/.github/workflows/image.yml`)
    const [before = '', publish = ''] = workflow.split('\n  publish:\n')
    assert.doesNotMatch(before, /: write|docker push|secrets\./)
    assert.match(publish, /^ {4}if: github\.event_name == 'push'\n.*\n {6}packages: write\n/s)
    assert.equal(workflow.match(/\$\{GITHUB_REPOSITORY,,\}/g)?.length, 2)
    assert.match(before, /docker inspect .*ExitCode.* = 0\n.*if: always\(\)\n +run: docker logs/s)
  }
  assert.match(
    text('.github/workflows/image.yml'),
    /VERSION: \$\{\{ github\.ref_type == 'tag' && github\.ref_name \|\| '' \}\}/,
  )
})

everyBlockIsTested(page)
