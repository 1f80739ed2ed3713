import type { TestContext } from 'node:test'
import type { CapturedLog } from '../capture/index.ts'
import { health } from '../frameworks/node-http.ts'
import type { HealthOptions } from '../health/index.ts'
import type { DeedboxOptions } from '../index.ts'
import { captureLog } from './captured-log.ts'
import { serve } from './served.ts'

/** A service with health endpoints on a real socket, and how to ask it. */
export interface HealthService extends CapturedLog {
  ask(path: string, init?: RequestInit): Promise<Response>
  /** The body of the heartbeat. */
  heartbeat(): Promise<HeartbeatBody>
}

/** What a heartbeat shows. */
export interface HeartbeatBody {
  readonly status: string
  readonly checks: Readonly<Record<string, string>>
  readonly details: Readonly<
    Record<
      string,
      { status: string; level: number; messages: Readonly<Record<string, string>>; silenced?: number }
    >
  >
}

/** Details are shown, nothing is cached and only what is given is checked, unless the options say otherwise. */
export async function healthService(
  t: TestContext,
  options: HealthOptions = {},
  boxOptions: DeedboxOptions = {},
): Promise<HealthService> {
  const captured = captureLog({ ...boxOptions, log: { level: 'DEBUG', ...boxOptions.log } })
  t.after(() => captured.box.close(100))
  const endpoints = health(captured.box, { details: 'always', ownChecks: false, cache: 0, ...options })
  const { url } = await serve(
    t,
    endpoints((_request, response) => response.end('the service')),
  )
  const ask: HealthService['ask'] = (path, init) => fetch(url + path, init)
  return {
    ...captured,
    ask,
    heartbeat: async () => (await (await ask('/__heartbeat__')).json()) as HeartbeatBody,
  }
}
