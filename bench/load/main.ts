import { randomUUID } from 'node:crypto'
import { batchItem, eventAt, payloadOfSize, uuid7 } from '../events.ts'
import { cpuSeconds } from '../process-facts.ts'
import { quantile } from '../statistics.ts'
import { forSeconds, type NextRequest, openLoad } from './drive.ts'
import type { LoadJob, LoadResult } from './job.ts'

// A process of its own: gets one job as its only argument and prints the result as one line of JSON.

const job = JSON.parse(process.argv[2] ?? '{}') as LoadJob

function head(method: string, path: string, more: string): string {
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${job.port}\r\n${more}`
}

const authorization = job.apiKey === undefined ? '' : `Authorization: Bearer ${job.apiKey}\r\n`

/** Single events, alike but for the idempotency key, which the header carries as the SDK's does. */
function singleEvents(payloadBytes: number): () => string {
  const meta = { ...eventAt(7).meta, request_id: randomUUID() }
  const body = JSON.stringify({ payload: payloadOfSize(payloadBytes), meta })
  const before = head('POST', '/v1/events', `${authorization}Content-Type: application/json\r\n`)
  const after = `\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  return () => `${before}Idempotency-Key: ${uuid7()}${after}`
}

/** Made before the clock starts: what the load generator would spend on them it would take from the server. */
function batchRequests(from: number, count: number, size: number): Buffer[] {
  return Array.from({ length: count }, (_, n) => {
    const items = Array.from({ length: size }, (_, i) => batchItem(from + n * size + i))
    const body = JSON.stringify(items)
    const more = `${authorization}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`
    return Buffer.from(head('POST', '/v1/events/batch', more) + body)
  })
}

function each(requests: Buffer[]): NextRequest {
  let next = 0
  return () => requests[next++]
}

function phases(): { warmUp: () => NextRequest; measured: () => NextRequest } {
  if (job.kind === 'batches') {
    const warm = batchRequests(0, job.warmBatches, job.size)
    const all = batchRequests(job.warmBatches * job.size, job.batches, job.size)
    return { warmUp: () => each(warm), measured: () => each(all) }
  }
  const make = singleEvents(job.payloadBytes)
  return {
    warmUp: () => forSeconds(job.warmSeconds, make),
    measured: () => forSeconds(job.seconds, make),
  }
}

const { warmUp, measured } = phases()
const load = await openLoad(job.port, job.connections)
await load.run(warmUp())
const cpuBefore = cpuSeconds(job.cpuOf)
const { requests, seconds, latencies } = await load.run(measured())
const cpuAfter = cpuSeconds(job.cpuOf)
load.close()
const result: LoadResult = {
  requests,
  seconds,
  cpuSeconds: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
}
process.stdout.write(`${JSON.stringify(result)}\n`)
