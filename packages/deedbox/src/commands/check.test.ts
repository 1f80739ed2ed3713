import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { folderOfFiles } from '../testing/folder-of-files.ts'
import { check } from './check.ts'
import { type Finding, joinedFindings } from './check-findings.ts'
import { checkService, serviceAddress } from './check-service.ts'
import { UsageError } from './usage-error.ts'

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command as a process of its own. */
function run(...args: string[]): Promise<Run> {
  const main = new URL('main.ts', import.meta.url).href
  const program = `import { main } from ${JSON.stringify(main)}; process.exitCode = await main(process.argv.slice(1))`
  const node = ['--conditions=@deedbox/source', '--input-type=module', '-e', program, 'check', ...args]
  return new Promise(done => {
    execFile(process.execPath, node, { env: { PATH: process.env.PATH } }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const answer =
  (status: number, body = '', headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, { 'cache-control': 'no-store', ...headers }).end(body)
  }

const json = (value: object, status = 200, headers: Record<string, string> = {}): Handler =>
  answer(status, JSON.stringify(value), { 'content-type': 'application/json', ...headers })

const versionObject = {
  source: 'https://example.com/acme/shop',
  version: '1.2.0',
  commit: 'c636845f00c636845f00c636845f00c636845f00',
  build: 'https://ci.example.com/1',
}

const good: Readonly<Record<string, Handler>> = {
  '/__version__': json(versionObject),
  '/__heartbeat__': json({ status: 'ok', checks: { database: 'ok' } }),
  '/__lbheartbeat__': answer(200),
  '/assets/main-5f3a9c01.js': answer(200, '', { 'cache-control': 'public, max-age=31536000, immutable' }),
}

/** A service that answers so, and whatever else it is asked with 404 or as is said. */
async function service(
  t: TestContext,
  routes: Readonly<Record<string, Handler>>,
  other: Handler = answer(404, 'Not Found'),
): Promise<string> {
  const server = createServer((request, response) => (routes[request.url ?? ''] ?? other)(request, response))
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The same in this process, which is quicker. */
async function findings(url: string, asset?: string): Promise<Finding[]> {
  return joinedFindings(await checkService(serviceAddress(url), { asset, timeout: 10_000 }))
}

const problems = (found: Finding[]): string[] =>
  found
    .filter(({ outcome }) => outcome === 'fail' || outcome === 'warn')
    .map(({ requirement, outcome }) => `${requirement} ${outcome}`)

test('DF-58 DF-59 a good service: one line for each requirement, its number first, and a sum', async t => {
  const url = await service(t, good)
  const { code, stdout, stderr } = await run(`${url}/?x=1`, '--asset', '/assets/main-5f3a9c01.js')
  assert.deepEqual([code, stderr], [0, ''])
  const lines = stdout.trimEnd().split('\n')
  assert.deepEqual(
    lines.slice(0, -2).map(line => line.slice(0, 19).trim().split(/ +/).join(' ')),
    [
      'App 1 -',
      'App 2 -',
      'App 3 -',
      'App 4 pass',
      'App 5 pass',
      'App 6 pass',
      'App 7 -',
      'App 8 pass',
    ].concat(['Extra 1 pass', 'Extra 2 pass', 'Extra 3 pass', 'Extra 4 pass']),
  )
  assert.match(lines[3] ?? '', /^App 4 +pass +\/__version__ answers the version object, commit c636845f/)
  assert.equal(lines.at(-1), '8 passed, 0 failed, 0 warnings, 4 cannot be seen from here')
})

const redirect = answer(301, '', { location: 'https://user:hidden@other.example/?token=hidden' })

/** What is wrong, which answers, and what is said of it. */
const broken: readonly [string, Readonly<Record<string, Handler>>, ...string[]][] = [
  ['DF-58 no version', { '/__version__': answer(404, 'version.json not found') }, 'App 4 fail'],
  ['DF-58 a redirect to HTTPS', { '/__version__': redirect }, 'App 4 fail'],
  ['DF-59 a version that is no JSON', { '/__version__': answer(200, '1.2.0') }, 'App 4 fail'],
  ['DF-59 another type', { '/__version__': answer(200, JSON.stringify(versionObject)) }, 'App 4 fail'],
  [
    'DF-59 a member is missing',
    { '/__version__': json({ ...versionObject, build: undefined }) },
    'App 4 fail',
  ],
  ['DF-59 no address of sources', { '/__version__': json({ ...versionObject, source: '' }) }, 'App 4 fail'],
  ['DF-59 no hash', { '/__version__': json({ ...versionObject, commit: 'main' }) }, 'App 4 fail'],
  ['DF-59 no CI job', { '/__version__': json({ ...versionObject, build: '' }) }, 'App 4 warn'],
  ['DF-58 no heartbeat', { '/__heartbeat__': answer(404) }, 'App 5 fail'],
  ['DF-58 a heartbeat behind sign-in', { '/__heartbeat__': answer(401) }, 'App 5 fail'],
  [
    'DF-58 a failing heartbeat with 429',
    { '/__heartbeat__': json({ checks: { a: 'error' } }, 429) },
    'App 5 fail',
  ],
  [
    'DF-58 a heartbeat without checks',
    { '/__heartbeat__': json({ status: 'ok', checks: {} }) },
    'App 5 warn',
  ],
  ['DF-58 a heartbeat in words', { '/__heartbeat__': answer(200, 'OK') }, 'App 5 warn'],
  [
    "DF-58 a proxy's page for a heartbeat",
    { '/__heartbeat__': answer(502, '<html>Bad Gateway</html>') },
    'App 5 fail',
  ],
  [
    'DF-58 200 for a check that fails',
    { '/__heartbeat__': json({ status: 'error', checks: { a: 'error' } }) },
    'App 5 fail',
  ],
  [
    'DF-58 200 for a critical check',
    { '/__heartbeat__': json({ status: 'critical', checks: { a: 'critical' } }) },
    'App 5 fail',
  ],
  ['DF-58 no content', { '/__lbheartbeat__': answer(204) }, 'App 6 fail', 'Extra 4 unseen'],
  [
    'DF-58 the balancer hears of a database',
    { '/__lbheartbeat__': answer(503) },
    'App 6 fail',
    'Extra 4 unseen',
  ],
  [
    'DF-12 what a cache may keep',
    { '/__heartbeat__': json({ checks: { a: 'ok' } }, 200, { 'cache-control': 'no-cache' }) },
    'Extra 1 warn',
  ],
  ['DF-10 details for all', { '/__heartbeat__': json({ checks: { a: 'ok' }, details: {} }) }, 'Extra 2 warn'],
  ['DF-11 errors for all', { '/__error__': answer(500) }, 'Extra 3 warn'],
  [
    'DF-01 HEAD is refused',
    {
      '/__version__': (request, response) =>
        (request.method === 'HEAD' ? answer(405) : json(versionObject))(request, response),
    },
    'Extra 4 warn',
  ],
  [
    'DF-58 DF-56 a file for an hour',
    { '/assets/main-5f3a9c01.js': answer(200, '', { 'cache-control': 'max-age=3600' }) },
    'App 8 fail',
  ],
  [
    'DF-58 DF-56 a file for two months',
    { '/assets/main-5f3a9c01.js': answer(200, '', { 'cache-control': 'max-age=5184000' }) },
    'App 8 warn',
  ],
  ['DF-58 DF-56 no such file', { '/assets/main-5f3a9c01.js': answer(404) }, 'App 8 fail'],
]

for (const [name, routes, ...expected] of broken) {
  test(`${name}: that requirement says so, and no other`, async t => {
    const url = await service(t, { ...good, ...routes })
    const found = await findings(url, '/assets/main-5f3a9c01.js')
    const [, ...unseen] = expected
    assert.deepEqual(problems(found), expected.slice(0, 1))
    for (const line of unseen) {
      assert(
        found.some(({ requirement, outcome }) => `${requirement} ${outcome}` === line),
        line,
      )
    }
    assert.doesNotMatch(JSON.stringify(found), /hidden/)
  })
}

test('DF-58 what answers every path with 200 has no endpoints', async t => {
  let pages = 0
  const type = { 'content-type': 'text/html; charset=utf-8' }
  const page: Handler = (...exchange) => answer(200, `<!doctype html><p>${++pages}`, type)(...exchange)
  for (const other of [page, answer(200, 'OK'), answer(200), json({ hello: 'world' })]) {
    const found = problems(await findings(await service(t, {}, other)))
    for (const problem of ['App 4 fail', 'App 5 fail', 'App 6 fail']) assert(found.includes(problem), problem)
  }
  // Endpoints before such a page are as good as others.
  const { '/assets/main-5f3a9c01.js': _, ...endpoints } = good
  const found = problems(await findings(await service(t, endpoints, page)))
  assert.deepEqual(
    found.filter(problem => problem.startsWith('App')),
    [],
  )
})

test('DF-58 a failing check is no fault of the endpoint: 500 and 503 meet the requirement', async t => {
  for (const status of [500, 503]) {
    const url = await service(t, { ...good, '/__heartbeat__': json({ checks: { a: 'error' } }, status) })
    const found = await findings(url)
    assert.deepEqual(problems(found), [])
    assert.match(found.find(({ requirement }) => requirement === 'App 5')?.reason ?? '', /a check fails/)
  }
})

test('DF-58 no redirect is followed, no credentials are sent, and what is answered does not drive a terminal', async t => {
  let asked = 0
  const other = await service(t, {
    '/': () => {
      asked++
    },
  })
  const headers: (string | undefined)[] = []
  const url = await service(t, {
    ...good,
    '/__version__': (request, response) => {
      headers.push(request.headers.authorization, request.headers.cookie)
      json({ ...versionObject, commit: '\u001b[31mred' })(request, response)
    },
    '/__heartbeat__': answer(302, '', { location: other }),
  })
  const { code, stdout } = await run(url)
  assert.deepEqual([code, asked, headers.filter(header => header !== undefined)], [1, 0, []])
  assert.match(stdout, /\\u001b\[31mred/)
  const refused = await run('http://user:hidden@127.0.0.1:1/')
  assert.equal(refused.code, 2)
  assert.doesNotMatch(refused.stderr, /hidden/)
})

test('DF-58 a service that is not there, or never answers, is a failure that says so', async t => {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  const dead = await run(`http://127.0.0.1:${port}`)
  assert.equal(dead.code, 1)
  assert.match(dead.stdout, /App 6 +FAIL +http:\/\/127\.0\.0\.1:\d+ does not answer: ECONNREFUSED\./)
  const hanging = await service(t, { '/__lbheartbeat__': () => {} })
  const slow = await run(hanging, '--timeout', '0.2')
  assert.equal(slow.code, 1)
  assert.match(slow.stdout, /does not answer: no answer in 0\.2 s\./)
})

test('DF-58 a folder and a URL make one report: what one shows, the other need not', async t => {
  const folder = folderOfFiles(t, {
    Dockerfile: 'FROM node:24-slim\nENV PORT=8000\nCOPY version.json /app/\n',
  })
  const { code, stdout, stderr } = await run(folder, await service(t, good), '--json')
  assert.deepEqual([code, stderr], [1, ''])
  const { findings: found } = JSON.parse(stdout) as { findings: Finding[] }
  const apps = found.filter(({ requirement }) => requirement.startsWith('App'))
  assert.deepEqual(
    apps.map(({ requirement, outcome }) => `${requirement} ${outcome}`),
    ['pass', 'pass', 'pass', 'pass', 'pass', 'pass', 'unseen', 'unseen'].map((o, i) => `App ${i + 1} ${o}`),
  )
})

test('check: what it is called wrongly for, with exit code 2; --help shows examples', async t => {
  const folder = folderOfFiles(t, {})
  for (const args of [
    [],
    ['http://'],
    [`${folder}/missing`],
    [folder, '--asset', '/x'],
    ['http://127.0.0.1:1', '--file', 'x'],
    ['http://127.0.0.1:1', '--asset', 'x'],
    ['http://127.0.0.1:1', '--timeout', 'soon'],
    [folder, '--file', 'missing'],
  ]) {
    await assert.rejects(check(args), error => error instanceof UsageError, args.join(' '))
  }
  const { code, stdout, stderr } = await run('--nothing')
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /^deedbox: .+\n$/)
  const help = await run('--help')
  assert.equal(help.code, 0)
  assert.match(help.stdout, /Examples\n {2}deedbox check http/)
})
