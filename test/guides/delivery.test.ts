import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { deedbox, run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page, replaceOnce } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/delivery.md')
const program = page.fence('// delivery.ts')
const shown = page.fence('$ deedbox outbox list')

/** Where nobody listens any more. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('IF-37 guide, delivery: what close() cannot deliver waits in the spool, and the command shows it', async t => {
  const port = String(await deadPort())
  const folder = await snippetFolder(t, 'express-5', { 'delivery.ts': replaceOnce(program, '8009', port) })
  const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('delivery.ts')], {
    cwd: folder.path,
    env: cleanEnv(),
  })
  assert.deepEqual([code, stdout], [0, 'false\n1\n'], stderr)
  assert.match(stderr, /"notice":"audit_spooled"/)
  page.says('The line that says so has `"notice":"audit_spooled"`.')
  const listed = await deedbox(['outbox', 'list', '--spool', join(folder.path, 'spool')], { env: cleanEnv() })
  const [, ...lines] = shown.trimEnd().split('\n')
  const cells = (text: string): string[] => text.trim().split(/ {2,}/)
  assert.deepEqual(
    listed.stdout.trimEnd().split('\n').map(cells),
    lines.map(line => cells(line.replace('8009', port))),
  )
})

everyBlockIsTested(page)
