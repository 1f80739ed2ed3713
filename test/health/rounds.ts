import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { deedbox } from 'deedbox'
import type { Check, CheckDetails, HealthOptions } from 'deedbox/health'
import { health } from 'deedbox/http'

/** What a heartbeat answered. */
export interface Heard {
  readonly code: number
  readonly status: string
  readonly checks: Readonly<Record<string, string>>
  readonly details: Readonly<Record<string, CheckDetails>>
}

/** A service with checks, without a cache, and how to ask it: each heartbeat is a round of its own. */
export interface CheckedService {
  readonly origin: string
  heartbeat(): Promise<Heard>
  /** The one check's messages as `id text`. */
  said(): Promise<string[]>
  /** Asks until the one check says this. */
  says(pattern: RegExp): Promise<void>
  /** Asks until all is well. */
  recovers(): Promise<void>
}

export async function checkedService(
  t: TestContext,
  checks: readonly Check[],
  options: HealthOptions = {},
): Promise<CheckedService> {
  const box = deedbox({ service: 'shop', ledger: null, log: { sink: () => {} } })
  const serve = health(box, { checks, details: 'always', ownChecks: false, cache: 0, ...options })
  const server = createServer(serve((_, response) => void response.end())).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.close()
    server.closeAllConnections()
    await box.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const heartbeat = async (): Promise<Heard> => {
    const answer = await fetch(`${origin}/__heartbeat__`)
    return { code: answer.status, ...((await answer.json()) as Omit<Heard, 'code'>) }
  }
  const said = async (): Promise<string[]> =>
    Object.values((await heartbeat()).details).flatMap(({ messages }) =>
      Object.entries(messages).map(([id, text]) => `${id} ${text}`),
    )
  const until = async (isSo: (messages: string[]) => boolean, what: string): Promise<void> => {
    let last: string[] = []
    // As many rounds as it takes: what is waited for depends on servers that start and drivers that try again.
    for (const deadline = performance.now() + 60_000; performance.now() < deadline; ) {
      last = await said()
      if (isSo(last)) return
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    assert.fail(`${what}; the last round said: ${last.join('; ') || 'ok'}`)
  }
  return {
    origin,
    heartbeat,
    said,
    says: pattern => until(messages => messages.some(each => pattern.test(each)), `never said ${pattern}`),
    recovers: () => until(messages => messages.length === 0, 'never well'),
  }
}
