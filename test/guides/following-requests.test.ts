import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command, ledgerEnv, run, startLedger, stopLedger, tempFolder } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'

const page = new Page('docs/guide/following-requests.md')
const log = page.fence('"message":"listening"')
const traced = page.fence('--data .deedbox')
const hasJq = (await run('bash', ['-c', 'command -v jq'])).code === 0

/** A block as it was typed and printed: `$ command`, then what came. */
function typed(block: string): { typed: string; printed: string } {
  const end = block.indexOf('\n')
  assert(block.startsWith('$ '), block)
  return { typed: block.slice(2, end), printed: block.slice(end + 1) }
}

/** Runs what a page tells to type, in a folder that holds its log. */
async function printed(folder: string, line: string, env: NodeJS.ProcessEnv): Promise<string> {
  writeFileSync(join(folder, 'app.log'), log)
  const npx = `npx() { shift; '${process.execPath}' '${command}' "$@"; }; `
  const { stdout, stderr, code } = await run('bash', ['-c', npx + line], { cwd: folder, env })
  assert.equal(code, 0, stderr)
  return stdout
}

for (const holding of [
  '--request-id 5b1f00d2',
  '--request-id 0ee7e0c4',
  "'select(",
  '--field attempt=1',
  '--group --output pretty',
  'worker.log 2>&1',
]) {
  const block = typed(page.fence(`$ ${firstWith(holding)}`))
  const skip = /\bjq\b/.test(block.typed) && !hasJq && 'jq is not installed'
  test(`FA-57 guide, following requests: ${block.typed}`, { skip }, async t => {
    const folder = tempFolder(t)
    assert.equal(await printed(folder, block.typed, ledgerEnv(folder)), block.printed)
  })
}

test('FA-57 guide, following requests: a trace with the event of a ledger', async t => {
  const folder = tempFolder(t)
  const key = `deed_live_${'h'.repeat(43)}`
  const data = join(folder, '.deedbox')
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key, DEEDBOX_DATA: data })
  const request = log.split('\n').find(line => /"request_id":"5b1f00d2".*"elapsed"/.test(line)) ?? ''
  const { timestamp } = JSON.parse(request) as { timestamp: string }
  const response = await fetch(`${ledger.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      payload: JSON.stringify({ timestamp }),
      meta: { type: 'error', event_name: 'http.GET./orders/43', service: 'shop', request_id: '5b1f00d2' },
    }),
  })
  assert.equal(response.status, 202)
  assert.equal(await stopLedger(ledger), 0)
  const { typed: line, printed: shown } = typed(traced)
  const masked = (text: string) => text.replace(/recorded=\+\d+\.\d ms index=\d+ tx_id=tx_\w+$/m, 'recorded')
  assert.equal(masked(await printed(folder, line, ledgerEnv(folder))), masked(shown))
})

test('FA-57 guide, following requests: what else it tells to type is understood', async t => {
  const folder = tempFolder(t)
  const lines = page.fence('--merge --since 2h').trimEnd().split('\n')
  for (const name of ['app.log.2.gz', 'app.log.1', 'shop.log', 'billing.log']) {
    writeFileSync(join(folder, name), log)
  }
  writeFileSync(join(folder, 'server.js'), `process.stderr.write(${JSON.stringify(log)})`)
  for (const line of lines.filter(text => !text.includes('--follow'))) {
    const shown = await printed(folder, line, ledgerEnv(folder))
    // The page's lines are older than two hours; that the call is understood is all that can be seen.
    if (!line.includes('--since')) assert.match(shown, /no answer/)
  }
})

everyBlockIsTested(page)

/** The whole command of the page that holds a text. */
function firstWith(text: string): string {
  const found = page.text.split('\n').filter(line => line.startsWith('$ ') && line.includes(text))
  const [line, ...more] = found
  assert(line !== undefined && more.length === 0, `${found.length} commands with ${text}`)
  return line.slice(2)
}
