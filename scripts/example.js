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
// Its welcome speaks of a first start; here our own text says what to do, once it has said that it is there.
await says(ledger, ledger.stdout, 'without trusting it.', 'the ledger (LEDGER_PORT sets its port)')
const vkey = await text(`${ledgerUrl}/ledgers/main/vkey`)
service = run(['examples/express-service/server.ts'], {
  PORT: servicePort,
  DEEDBOX_URL: ledgerUrl,
  DEEDBOX_API_KEY: key,
})
service.stderr.pipe(process.stderr)
await says(service, service.stderr, '"message":"listening"', 'the service (PORT sets its port)')

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
    stdio: ['ignore', 'pipe', args[0].includes('examples') ? 'pipe' : 'inherit'],
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

/** Waits until a part has said a text of its own: another program on its port would not say it. */
function says(child, stream, wanted, what) {
  let said = ''
  let ready = false
  return new Promise(done => {
    stream.setEncoding('utf8').on('data', text => {
      if (ready) return
      said += text
      ready = said.includes(wanted)
      if (ready) done()
    })
    child.on('exit', () => {
      if (ready) return
      console.error(`The example ends: ${what} did not start; the reason stands above.`)
      stopAll(1)
      if (ledger.exitCode !== null) process.exit(1)
      ledger.on('exit', () => process.exit(1))
    })
  })
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
