// `npm run example`: a ledger and a small Express service beside each other, and what to try with them.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const data = resolve(process.env.DEEDBOX_DATA || join(root, '.deedbox-example'))
const ledgerPort = process.env.LEDGER_PORT || '8000'
const servicePort = process.env.PORT || '3000'
const ledgerUrl = `http://localhost:${ledgerPort}`
const serviceUrl = `http://localhost:${servicePort}`

const key = exampleKey()
/** Started once the ledger answers. */
let service
let stopping = false
const ledger = run(['packages/deedbox/bin/deedbox.js', 'serve'], {
  DEEDBOX_DATA: data,
  DEEDBOX_BOOTSTRAP_KEY: key,
  PORT: ledgerPort,
})
// Its welcome speaks of a first start; here our own text says what to do.
ledger.stdout.resume()
await answers(`${ledgerUrl}/__lbheartbeat__`, ledger)
const vkey = await text(`${ledgerUrl}/ledgers/main/vkey`)
service = run(['examples/express-service/server.ts'], {
  PORT: servicePort,
  DEEDBOX_URL: ledgerUrl,
  DEEDBOX_API_KEY: key,
})
service.stdout.pipe(process.stdout)
await answers(`${serviceUrl}/orders/1`, service)

process.stdout.write(`
The ledger is at ${ledgerUrl}, the service at ${serviceUrl}. Call the service from another terminal; its log lines
appear here:

  curl -s ${serviceUrl}/orders/42
  curl -s ${serviceUrl}/checkout -H 'Content-Type: application/json' -d '{"amount":299.9,"card":"4242424242424242"}'
  curl -s ${serviceUrl}/broken

Then look at its events in the ledger, and check the receipt of the newest one offline:

  export DEEDBOX_API_KEY=${key}
  curl -s '${ledgerUrl}/v1/events?service=shop&limit=3' -H "Authorization: Bearer $DEEDBOX_API_KEY"
  TX=$(curl -s '${ledgerUrl}/v1/events?service=shop&limit=1' -H "Authorization: Bearer $DEEDBOX_API_KEY" | grep -o 'tx_[0-9a-z]\\{24\\}' | head -1)
  curl -s ${ledgerUrl}/v1/events/$TX/receipt -H "Authorization: Bearer $DEEDBOX_API_KEY" -o receipt.tlog-proof
  npx deedbox verify receipt.tlog-proof --key '${vkey}'

Ctrl-C stops both.

`)

/** Starts a part of the example; when one ends, so does the whole. */
function run(args, env) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.on('exit', code => stopAll(code ?? 0))
  return child
}

function stopAll(code) {
  if (stopping) return
  stopping = true
  process.exitCode = code
  // The service first: it still has events to hand over.
  service?.kill('SIGTERM')
  if (service === undefined || service.exitCode !== null) ledger.kill('SIGTERM')
  else service.on('exit', () => ledger.kill('SIGTERM'))
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopAll(0))

/** Waits until a URL answers at all, for as long as the process behind it lives; half a minute at most. */
async function answers(url, child) {
  for (let tries = 0; tries < 300 && child.exitCode === null; tries++) {
    try {
      await fetch(url)
      return
    } catch {
      await new Promise(done => setTimeout(done, 50))
    }
  }
  console.error(`${url} does not answer; the reason stands above.`)
  stopAll(1)
  process.exit(1)
}

async function text(url) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
  return (await response.text()).trim()
}

/** The example's own key, kept beside its data so that a second run finds the same one. */
function exampleKey() {
  const path = join(data, 'example-key')
  if (existsSync(path)) return readFileSync(path, 'utf8')
  const key = `deed_live_${randomBytes(32).toString('base64url')}`
  mkdirSync(data, { recursive: true, mode: 0o700 })
  writeFileSync(path, key, { mode: 0o600 })
  return key
}
