import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { selfSigned } from './certificates.ts'

test('a self-signed certificate is refused, and accepted by whoever is given it', async t => {
  const { cert, key, certFile, keyFile } = selfSigned(t)
  assert.equal(readFileSync(certFile, 'utf8'), cert)
  assert.equal(statSync(keyFile).mode & 0o777, 0o600)
  const certificate = new X509Certificate(cert)
  assert(certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey))
  const server = createServer({ cert, key }, socket => socket.end('taken')).listen(0, '127.0.0.1')
  server.on('tlsClientError', () => {})
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const [error] = await once(connect({ host: '127.0.0.1', port }), 'error')
  assert.equal((error as NodeJS.ErrnoException).code, 'DEPTH_ZERO_SELF_SIGNED_CERT')
  for (const host of ['127.0.0.1', 'localhost']) {
    const socket = connect({
      host: '127.0.0.1',
      servername: host === 'localhost' ? host : '',
      port,
      ca: cert,
    })
    assert.equal(String(await once(socket, 'data')), 'taken')
  }
})
