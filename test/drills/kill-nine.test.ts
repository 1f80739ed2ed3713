import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import {
  assertVerdict,
  type LedgerProcess,
  printedKey,
  startLedger,
  tempFolder,
} from '../end-to-end/ledger-process.ts'

/** `npm run test:long` kills a hundred times; the default run is a sample of it. */
const rounds = Number(process.env.DEEDBOX_DRILL_ROUNDS ?? 4)
const clients = 8
const key = `deed_live_${'k'.repeat(43)}`

/** What was sent, and of which it was promised that it is stored. */
interface Ledgered {
  sent: Set<string>
  acknowledged: Map<string, string>
}

test(`P13 P26 kill -9 under load, ${rounds} rounds: every 202 is there exactly once and verify is ok`, async t => {
  const folder = tempFolder(t)
  const all: Ledgered = { sent: new Set(), acknowledged: new Map() }
  let vkey = ''
  for (let round = 0; round < rounds; round++) {
    const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key })
    vkey ||= printedKey(ledger)
    await loadUntilKilled(ledger, all, round)
    await assertVerdict(folder, vkey, 'ok')
  }
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key })
  const stored = await storedEvents(ledger)
  for (const [payload, txId] of all.acknowledged) {
    assert.deepEqual(
      stored.get(payload),
      [txId],
      `${payload} was acknowledged and is stored ${stored.get(payload)?.length ?? 0} times`,
    )
  }
  for (const [payload, txIds] of stored) {
    assert(all.sent.has(payload), `${payload} was never sent`)
    assert.equal(txIds.length, 1, `${payload} is stored more than once`)
  }
  t.diagnostic(
    `${all.acknowledged.size} acknowledged, ${all.sent.size} sent, ${stored.size} stored, ${rounds} kills`,
  )
  assert(all.acknowledged.size >= rounds * 50)
})

/** Clients send singles and batches without a pause until the ledger, killed in full run, is gone. */
async function loadUntilKilled(ledger: LedgerProcess, all: Ledgered, round: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const gone = once(ledger.child, 'exit')
  const before = all.acknowledged.size
  // A different moment in each round; the first is within the first transactions.
  const killAfter = 50 + ((round * 97) % 400)
  let killed = false
  const client = async (name: number) => {
    for (let n = 0; !killed; n++) {
      const isBatch = n % 4 === 3
      const payloads = Array.from({ length: isBatch ? 10 : 1 }, (_, i) => `r${round}-c${name}-${n}-${i}`)
      for (const payload of payloads) all.sent.add(payload)
      try {
        const answers = await send(ledger.url, agent, payloads, isBatch)
        for (const [i, txId] of answers.entries()) all.acknowledged.set(payloads[i] ?? '', txId)
      } catch {
        return
      }
      if (!killed && all.acknowledged.size - before >= killAfter) {
        killed = true
        ledger.child.kill('SIGKILL')
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, name) => client(name)))
  assert(killed, `the clients stopped by themselves: ${ledger.stderr()}`)
  await gone
  agent.destroy()
}

function send(url: string, agent: Agent, payloads: string[], isBatch: boolean): Promise<string[]> {
  const events = payloads.map(payload => ({
    payload,
    meta: { type: 'info', event_name: 'drill', service: 'drill' },
  }))
  const body = JSON.stringify(
    isBatch ? events.map((event, i) => ({ ...event, idempotency_key: payloads[i] })) : events[0],
  )
  return new Promise((resolve, reject) => {
    const call = request(
      `${url}/v1/events${isBatch ? '/batch' : ''}`,
      {
        agent,
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...(isBatch ? {} : { 'idempotency-key': payloads[0] }),
        },
      },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', data => {
          text += data
        })
        response.on('error', reject)
        response.on('end', () => {
          if (response.statusCode !== 202 && response.statusCode !== 200) return reject(new Error(text))
          const answer = JSON.parse(text) as { tx_id: string; results?: { tx_id: string; ok: boolean }[] }
          const results = answer.results ?? [{ ...answer, ok: true }]
          if (results.every(result => result.ok)) resolve(results.map(result => result.tx_id))
          else reject(new Error(text))
        })
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}

/** Payload → the ids under which it is stored. */
async function storedEvents(ledger: LedgerProcess): Promise<Map<string, string[]>> {
  const stored = new Map<string, string[]>()
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${cursor}`
    const response = await fetch(`${ledger.url}/v1/events?service=drill&limit=500${query}`, {
      headers: { authorization: `Bearer ${key}` },
    })
    const page = (await response.json()) as {
      events: { payload: string; tx_id: string }[]
      next_cursor: string | null
    }
    for (const { payload, tx_id } of page.events) stored.set(payload, [...(stored.get(payload) ?? []), tx_id])
    cursor = page.next_cursor
  } while (cursor !== null)
  return stored
}
