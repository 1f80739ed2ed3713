import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Deedbox } from 'deedbox'
import { auditedLog } from '../../packages/deedbox/src/testing/audited-log.ts'
import { compiledNest, type NestMajor } from './nest.ts'

/** What of `nest-app/audited.ts` is called here. */
interface CompiledAudited {
  createAudited(
    platform: 'express' | 'fastify',
    box: Deedbox,
  ): Promise<{ listen(port: number, host: string): Promise<Server>; close(): Promise<void> }>
}

const majors: NestMajor[] = [11, 12]

for (const major of majors) {
  for (const platform of ['express', 'fastify'] as const) {
    test(`IP-10 IP-15 Nest ${major} on ${platform}: audited methods stay routes, whichever decorator stands above`, async t => {
      const { box, events, recorded } = auditedLog()
      const { createAudited } = (await import(await compiledNest(major, 'audited'))) as CompiledAudited
      const app = await createAudited(platform, box)
      const server = await app.listen(0, '127.0.0.1')
      t.after(async () => {
        server.closeAllConnections()
        await app.close()
        await box.close(0)
      })
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/users`
      const seen: unknown[] = []
      for (const [path, body] of [
        ['above/7'],
        ['below/7'],
        ['above/x'],
        ['below/8'],
        ['made', '{"name":"bob"}'],
      ]) {
        const answer = await fetch(`${url}/${path}`, {
          headers: { 'x-request-id': `r-${seen.length}`, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { method: 'POST', body }),
        })
        seen.push([answer.status, answer.headers.get('x-role'), (await answer.text()).slice(0, 21)])
      }
      assert.deepEqual(seen, [
        [200, 'reader', 'ann'],
        [200, 'reader', '{"id":7,"name":"ann"}'],
        [400, 'reader', '{"message":"Validatio'],
        [404, 'reader', '{"message":"nobody","'],
        [202, 'writer', '{"made":"bob"}'],
      ])
      await recorded(5)
      assert.deepEqual(
        (await events()).map(({ meta }) => [meta.event_name, meta.type, meta.service, meta.request_id]),
        [
          ['user.find', 'success', 'people', 'r-0'],
          ['fn.UsersController.above', 'info', 'tested', 'r-0'],
          ['user.find', 'success', 'people', 'r-1'],
          ['fn.UsersController.below', 'info', 'tested', 'r-1'],
          ['user.find', 'error', 'people', 'r-3'],
          ['fn.UsersController.below', 'error', 'tested', 'r-3'],
          ['fn.UsersController.make', 'info', 'tested', 'r-4'],
        ],
      )
    })
  }
}
