import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Deedbox } from 'deedbox'
import type { HealthOptions } from 'deedbox/health'
import { captureLog } from '../../packages/deedbox/src/testing/captured-log.ts'
import { compiledNest } from './nest.ts'

/** What of `nest-app/behind-guard.ts` is called, which this file cannot import: it has decorators. */
interface CompiledGuarded {
  createGuarded(
    platform: 'express' | 'fastify',
    box: Deedbox,
    options: HealthOptions,
  ): Promise<{ listen(port: number, host: string): Promise<Server>; close(): Promise<void> }>
}

for (const major of [12, 11] as const) {
  for (const platform of ['express', 'fastify'] as const) {
    test(`DF-01 DF-11 Nest ${major} on ${platform}: global prefix, guards and filters do not touch the endpoints, and filters hear __error__`, async t => {
      const { createGuarded } = (await import(await compiledNest(major, 'behind-guard'))) as CompiledGuarded
      const log = captureLog()
      const app = await createGuarded(platform, log.box, { ownChecks: false, error: 'always' })
      const server = await app.listen(0, '127.0.0.1')
      t.after(async () => {
        server.closeAllConnections()
        await app.close()
      })
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const ask = async (path: string): Promise<[number, string]> => {
        const answer = await fetch(url + path)
        return [answer.status, await answer.text()]
      }
      assert.deepEqual(await ask('/__lbheartbeat__'), [200, ''])
      assert.deepEqual(await ask('/__heartbeat__'), [200, '{"status":"ok","checks":{}}'])
      assert.deepEqual(await ask('/api/cats'), [418, 'filtered: Forbidden resource'])
      assert.equal((await ask('/api/__heartbeat__'))[0], 418)
      assert.deepEqual(await ask('/__error__'), [418, 'filtered: The __error__ endpoint was called'])
      const [record] = await log.recorded(1)
      assert.match(String(record?.error?.thrown), /The __error__ endpoint was called/)
      assert.equal(record?.route, '/__error__')
    })
  }
}
