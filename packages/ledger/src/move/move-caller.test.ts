import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { tempFolder } from '../testing/temp-ledger.ts'
import { MoveCaller } from './move-caller.ts'
import { sendFile } from './send-file.ts'
import type { MoveManifest } from './wire.ts'

const moveId = '00000000-0000-4000-8000-000000000000'
const steering = '\u001b]0;owned\u0007\u001b[2K\u202e\nMoved, to x'

/** A server that answers as it likes. */
async function hostile(
  t: TestContext,
  answer: (request: IncomingMessage) => { status?: number; body: unknown },
): Promise<MoveCaller> {
  const server = createServer((request, response) => {
    const { status = 200, body } = answer(request)
    request.resume().once('end', () => {
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  return new MoveCaller(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'token')
}

/** Sends three bytes to it. */
async function sending(t: TestContext, caller: MoveCaller): Promise<unknown> {
  const file = join(tempFolder(t), 'file')
  writeFileSync(file, 'abc')
  const manifest: MoveManifest = { v: 1, bytes: 3, sha256: '', ledgers: [], keys: [] }
  return sendFile(caller, moveId, file, manifest, () => undefined)
}

test('what a server says neither steers the terminal nor the client, however long it is', async t => {
  const refusing = await hostile(t, () => ({
    status: 409,
    body: { reason: 'outcome_unknown', message: steering.repeat(1_000) },
  }))
  await assert.rejects(refusing.status(), (error: Error & { code: string }) => {
    assert.equal(error.code, 'move_conflict')
    assert.match(error.message, /^The server answered: [^\p{Cc}\p{Cf}]{1,520}$/u)
    return true
  })
  const message = steering
  const refused = { state: 'refused', moveId, reason: 'outcome_unknown', message }
  const verdict = await hostile(t, () => ({ body: refused }))
  await assert.rejects(sending(t, verdict), (error: Error & { code: string }) => {
    assert.equal(error.code, 'move_conflict')
    assert.match(error.message, /^The server refused the ledger: [^\p{Cc}\p{Cf}]+$/u)
    return true
  })
})

test('a server that keeps nothing of what it is sent is not sent it for ever', async t => {
  const keepsNothing = { state: 'receiving', moveId, received: 0, bytes: 3 }
  const caller = await hostile(t, () => ({ body: keepsNothing }))
  await assert.rejects(sending(t, caller), {
    code: 'move_conflict',
    message: /does not keep what it is sent/,
  })
})

test('an answer that no server gives is none: other states and types, null, and one that does not end', async t => {
  const bodies: unknown[] = [
    null,
    3,
    'no JSON',
    { state: 'conquered', moveId },
    { state: 'receiving', moveId, received: -1, bytes: 3 },
    { state: 'checking', moveId, done: '\u001b[2K', total: 1 },
    { state: 'installed', moveId, ledgers: [{ name: 1 }] },
    { state: 'awaiting', server: '../../x' },
    ' '.repeat(9 * 1024 * 1024),
  ]
  await Promise.all(
    bodies.map(async body => {
      const caller = await hostile(t, () => ({ body }))
      await assert.rejects(caller.status(), { code: 'unreachable' }, JSON.stringify(body).slice(0, 80))
    }),
  )
})
