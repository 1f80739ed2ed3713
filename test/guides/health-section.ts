import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type RunningService, startService } from './service-process.ts'

/** Starts the service of a page's section on health endpoints, and asks it what the section promises. */
export async function healthSection(
  t: TestContext,
  file: string,
  closed: { readonly path: string; readonly status: number },
): Promise<RunningService> {
  const running = await startService(t, file, { env: { DEEDBOX_HEALTH_TOKEN: 'token-of-the-page' } })
  await asksHealth(running)
  assert.equal((await running.call('GET', closed.path)).status, closed.status)
  return running
}

/** Asks a service with a check named `queue`, whose token is `token-of-the-page`. */
export async function asksHealth(running: RunningService): Promise<void> {
  const alive = await running.call('GET', '/__lbheartbeat__')
  assert.deepEqual([alive.status, alive.body], [200, ''])
  for (const path of ['/__heartbeat__', '/__readiness__']) {
    const { status, body } = await running.call('GET', path)
    assert.deepEqual([path, status, JSON.parse(body).checks.queue], [path, 200, 'ok'])
  }
  assert.equal((await running.call('GET', '/__error__')).status, 404)
  const headers = { authorization: 'Bearer token-of-the-page' }
  assert.equal((await running.call('GET', '/__error__', { headers })).status, 500)
  await running.when(lines =>
    lines.some(line => /^Error: The __error__ endpoint was called/.test(String(line.exception))),
  )
}
