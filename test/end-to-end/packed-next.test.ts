import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { cleanEnv, startService } from '../guides/service-process.ts'
import { consumerProject, installedPackages, lockedVersion, pack } from './consumer-project.ts'
import { run, tempFolder } from './ledger-process.ts'

// Next bundles what it finds in node_modules otherwise than what a workspace links there. Both majors are run from
// the workspace by test/frameworks; the newer one is installed here.
const major = 16

const files = {
  'instrumentation.js': `
    import { instrument } from 'deedbox/next'
    export const { register, onRequestError } = instrument({ service: 'consumer', ledger: null, audit: { requests: false } })`,
  'app/layout.js': `
    export default function Layout({ children }) { return <html lang="en"><body>{children}</body></html> }`,
  'app/orders/[id]/route.js': `
    import { log } from 'deedbox'
    export async function GET(_request, { params }) {
      const { id } = await params
      log.info('looking it up')
      return Response.json({ id })
    }`,
}

test(`IF-01 packed, Next ${major} in an empty project: built and started, one request, its lines, a clean end`, async t => {
  const folder = tempFolder(t)
  const packed = [await pack('tlog', folder), await pack('deedbox', folder)]
  const wanted = ['next', 'react', 'react-dom'].map(each => `${each}@${lockedVersion(`next-${major}`, each)}`)
  const project = await consumerProject(join(folder, 'project'), [
    ...packed.map(({ tarball }) => tarball),
    ...wanted,
  ])
  const installed = installedPackages(project)
  for (const other of ['@nestjs/core', 'express', 'fastify', 'hono', 'koa'])
    assert(!installed.has(other), other)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    writeFileSync(join(project, path), text)
  }
  const command = join(project, 'node_modules', 'next', 'dist', 'bin', 'next')
  const quiet = { NEXT_TELEMETRY_DISABLED: '1' }
  const built = await run(process.execPath, [command, 'build'], { cwd: project, env: cleanEnv(quiet) })
  assert.equal(built.code, 0, built.stdout + built.stderr)
  const running = await startService(t, command, {
    args: ['start', '--port', '0'],
    cwd: project,
    env: { ...quiet, NEXT_MANUAL_SIG_HANDLE: '1' },
  })
  let answer = await running.call('GET', '/orders/7')
  for (let tries = 0; tries < 200 && answer.headers['x-request-id'] === undefined; tries++)
    answer = await running.call('GET', '/orders/7')
  assert.deepEqual([answer.status, answer.body], [200, '{"id":"7"}'])
  const lines = await running.linesOf(answer)
  assert.deepEqual(
    lines.map(({ message, route }) => [message, route]),
    [
      ['looking it up', undefined],
      ['log request', '/orders/[id]'],
    ],
  )
  assert.equal(await running.stop(), 'SIGTERM')
})
