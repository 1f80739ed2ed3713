import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import { ledgerEnv, deedbox as run, run as runProgram, tempFolder } from '../end-to-end/ledger-process.ts'
import { printed, start } from '../end-to-end/moving.ts'
import { everyBlockIsTested, Page, replaceOnce } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/moving.md')
const inProcess = page.fence("ledger: openLedger('audit.db')")
const overHttp = page.fence('process.env.DEEDBOX_API_KEY ??')
const serveCommand = page.fence('serve --await-move')
const waiting = page.fence('Awaiting a ledger')
const moveCommand = page.fence('DEEDBOX_MOVE_TOKEN=… npx')
const moved = page.fence('Moved, to')
const keyCommand = page.fence('keys create')
const recoverCommand = page.fence('deedbox recover')
const refusal = page.fence('LedgerError: ')

/** A text of the page as it looks on any machine: keys, tokens, paths, ports and hashes are others each time. */
function shape(text: string): string {
  return text
    .replace(/[0-9a-f]{32}\.deedbox/g, 'X.deedbox')
    .replace(/(root +|TOKEN=)\S+/g, '$1X')
    .replace(/https?:\/\/[a-z.]+(:\d+)?/g, 'URL')
    .replace(/\/\S+\/(audit\.db)/g, '$1')
    .replace(/for \/\S+/g, 'for X')
    .trimEnd()
}

test('guide, moving: one file, the move as it is shown, and the service over HTTP with its idempotency keys', async t => {
  const folder = tempFolder(t)
  const env = { ...cleanEnv(), DEEDBOX_GUARD: join(folder, 'guard') }
  const server = start(t, ['serve', '--await-move'], ledgerEnv(tempFolder(t), { DEEDBOX_MOVE_TOKEN: '' }))
  const token = await printed(server, /DEEDBOX_MOVE_TOKEN=(\S+) \\\n.*\n/)
  const url = await printed(server, /address +(http:\S+)\n/)
  assert.equal(shape(server.stdout()), shape(waiting))
  assert.match(serveCommand, /^npx deedbox serve --await-move/)
  const programs = await snippetFolder(t, 'express-5', {
    'one-file.ts': inProcess,
    'over-http.ts': replaceOnce(overHttp, 'https://ledger.example', url),
  })
  const program = (name: string, more: NodeJS.ProcessEnv = {}) =>
    runProgram(process.execPath, [programs.runnable(name)], { cwd: folder, env: { ...env, ...more } })
  const first = await program('one-file.ts')
  assert.match(first.stdout, /^tx_\w{24} false\n$/, first.stderr)
  assert.match(moveCommand, /npx deedbox move audit\.db --to https/)
  const moving = await run(['move', 'audit.db', '--to', url], {
    cwd: folder,
    env: { ...env, DEEDBOX_MOVE_TOKEN: token },
  })
  assert.equal(shape(moving.stdout), shape(moved), moving.stderr)
  const key = await printed(server, /export DEEDBOX_API_KEY=(\S+)\n/)
  const second = await program('over-http.ts', { DEEDBOX_API_KEY: key })
  assert.equal(second.stdout, first.stdout.replace('false', 'true'), second.stderr)
  const late = await program('one-file.ts')
  assert.notEqual(late.code, 0)
  assert(shape(late.stderr).includes(shape(refusal).replace('LedgerError: ', '')), late.stderr)
})

/** The arguments in a fence of one command. */
const argumentsIn = (fence: string) => fence.trim().split(' ').slice(2)

test('guide, moving: a key for the service is made on the file; a file whose server is lost becomes a new ledger', async t => {
  const cwd = tempFolder(t)
  const guard = join(cwd, 'guard')
  const env = { ...cleanEnv(), DEEDBOX_GUARD: guard }
  const database = join(cwd, 'audit.db')
  const ledger = await openLedger(database, { guard })
  const { origin } = ledger.about
  await ledger.close()
  const token = 'a-token-for-the-guide-of-moving'
  const served = ledgerEnv(tempFolder(t), { DEEDBOX_MOVE_TOKEN: token })
  const server = start(t, ['serve', '--await-move'], served)
  const url = await printed(server, /address +(http:\S+)\n/)
  const made = await run(argumentsIn(keyCommand), { cwd, env })
  assert.match(made.stdout, /^deed_live_\S+\n$/, made.stderr)
  const authorization = `Bearer ${made.stdout.trim()}`
  const moving = await run(['move', 'audit.db', '--to', url], {
    cwd,
    env: { ...env, DEEDBOX_MOVE_TOKEN: token },
  })
  assert.equal(moving.code, 0, moving.stderr)
  await printed(server, /without trusting it\./)
  const body = JSON.stringify({ payload: '{}', meta: { type: 'info', event_name: 'a', service: 'shop' } })
  const headers = { authorization, 'content-type': 'application/json' }
  const kept = await fetch(`${url}/v1/events`, { method: 'POST', headers, body })
  assert.equal(kept.status, 202)
  const data = served.DEEDBOX_DATA ?? ''
  const checked = await run(['verify', '--data', data, '--save-checkpoint', 'newest.checkpoint'], {
    cwd,
    env,
  })
  assert.match(checked.stdout, /^ok_unpinned/, checked.stderr)
  server.child.kill('SIGKILL')
  const recovered = await run(argumentsIn(recoverCommand), { cwd, env })
  assert.equal(recovered.code, 0, recovered.stderr)
  const opened = await openLedger(database, { guard })
  assert.notEqual(opened.about.origin, origin)
  await opened.close()
})

everyBlockIsTested(page)
