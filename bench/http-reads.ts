import { Agent, request } from 'node:http'
import { benchKey } from './workshop.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

/** One answer, and how long it took from the call to its last byte. */
export interface Read {
  text: string
  milliseconds: number
}

/**
 * Asks a ledger on this machine for something, over one keep-alive connection.
 *
 * @throws Error when it does not answer 200
 */
export function get(port: number, path: string): Promise<Read> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${benchKey}` }
    request({ host: '127.0.0.1', port, path, agent, headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const milliseconds = performance.now() - started
        const text = Buffer.concat(chunks).toString('utf8')
        if (response.statusCode === 200) resolve({ text, milliseconds })
        else reject(new Error(`GET ${path} was answered ${response.statusCode}: ${text}`))
      })
      response.on('error', reject)
    })
      .on('error', reject)
      .end()
  })
}

/** An event that is in the ledger. */
export interface Sample {
  tx_id: string
  request_id: string
  at: string
}

/** Events from evenly spread places of the ledger. */
export async function samples(port: number, count: number): Promise<Sample[]> {
  const { as_of: size } = JSON.parse((await get(port, '/v1/events?limit=1')).text) as { as_of: number }
  const found: Sample[] = []
  for (let n = 0; n < count; n++) {
    const from = Math.floor((size * n) / count)
    const { text } = await get(port, `/v1/events?limit=1&order=asc&kind=event&cursor=${from}`)
    const [event] = (
      JSON.parse(text) as { events: { tx_id: string; at: string; meta: { request_id: string } }[] }
    ).events
    if (event !== undefined)
      found.push({ tx_id: event.tx_id, at: event.at, request_id: event.meta.request_id })
  }
  return found
}
