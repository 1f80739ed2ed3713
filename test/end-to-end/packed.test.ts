import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { consumerProject, pack } from './consumer-project.ts'
import { root, run, tempFolder } from './ledger-process.ts'

const script = `
  const box = deedbox({ service: 'consumer', log: { sink: { write() {} } } })
  box.send('consumer.started', { hello: 'world' }).then(async ack => {
    console.log(JSON.stringify({ index: ack.index, status: ack.status }))
    await box.close()
  })
`

const inProcess = `
  import { openLedger } from '@deedbox/ledger'
  import { checkReceipt, parseVerifierKey } from '@deedbox/tlog'
  import { nodeCrypto } from '@deedbox/tlog/node'
  import { browserCrypto } from '@deedbox/tlog/browser'
  const ledger = await openLedger('audit.db', { guard: 'guard' })
  const ack = await ledger.append({ payload: 'x', meta: { type: 'info', event_name: 'a.b', service: 's' } })
  const receipt = ledger.receipt(ack.txId)
  const key = parseVerifierKey(nodeCrypto.sha256, ledger.verifierKey)
  console.log(checkReceipt(nodeCrypto, receipt, [key]).verdict, checkReceipt(browserCrypto, receipt, [key]).verdict)
  await ledger.close()
`

test('IF-01 the packed packages work in an empty project: ESM, CommonJS, the command, and the writer thread', async t => {
  const folder = tempFolder(t)
  const tarballs: string[] = []
  for (const name of ['tlog', 'deedbox', 'ledger']) {
    const { tarball, files } = await pack(name, folder)
    tarballs.push(tarball)
    const odd = files.filter(path => /\.test\.|testing\//.test(path))
    assert.deepEqual(odd, [], `${name} ships tests`)
  }
  const project = await consumerProject(join(folder, 'project'), tarballs)

  const server = await startTestServer(t)
  const env = { ...process.env, DEEDBOX_URL: server.url, DEEDBOX_API_KEY: server.key }
  writeFileSync(
    join(project, 'esm.mjs'),
    `import { deedbox } from 'deedbox'\nimport 'deedbox/http'\nimport 'deedbox/express'\n${script}`,
  )
  writeFileSync(
    join(project, 'cjs.cjs'),
    `const { deedbox } = require('deedbox')\nrequire('deedbox/http')\nrequire('deedbox/express')\n${script}`,
  )
  for (const [i, file] of ['esm.mjs', 'cjs.cjs'].entries()) {
    const { code, stdout, stderr } = await run(process.execPath, [file], { cwd: project, env })
    assert.deepEqual(
      [code, stdout, stderr],
      [0, `${JSON.stringify({ index: i + 1, status: 'accepted' })}\n`, ''],
    )
  }
  writeFileSync(join(project, 'ledger.mjs'), inProcess)
  const opened = await run(process.execPath, ['ledger.mjs'], { cwd: project })
  assert.deepEqual([opened.code, opened.stdout], [0, 'ok ok\n'], opened.stderr)
  const version = await run(
    process.execPath,
    [join('node_modules', 'deedbox', 'bin', 'deedbox.js'), '--version'],
    { cwd: project },
  )
  assert.equal(
    version.stdout.trim(),
    JSON.parse(readFileSync(join(root, 'packages/deedbox/package.json'), 'utf8')).version,
  )
  const lock = readFileSync(join(project, 'package-lock.json'), 'utf8')
  assert.doesNotMatch(lock, /"node_modules\/express"/, 'no adapter pulls a framework in')
})
