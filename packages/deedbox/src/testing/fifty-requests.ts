import assert from 'node:assert/strict'
import type { ParsedLine } from './captured-log.ts'

/** Fifty requests at once, each with an id of its own: `id-7` for `/7`. */
export async function fiftyRequests(url: string): Promise<void> {
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      await (await fetch(`${url}/${i}`, { headers: { 'x-request-id': `id-${i}` } })).text()
    }),
  )
}

/** Fails unless each line about a path has the id of the request for that path. */
export function staysApart(lines: readonly ParsedLine[], count: number): void {
  const steps = lines.filter(line => line.of !== undefined)
  assert.equal(steps.length, count)
  for (const { request_id, of } of steps) assert.equal(request_id, `id-${String(of).slice(1)}`)
}
