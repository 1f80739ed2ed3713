import assert from 'node:assert/strict'
import { test } from 'node:test'
import { influx } from 'deedbox/chests'
import { serverFor } from '../servers/running-server.ts'
import { victoriaMetrics } from '../servers/victoria-metrics.ts'
import { eventually } from './entries.ts'
import { aService } from './service-suite.ts'

const found = await serverFor(victoriaMetrics)
const { skip } = found

/** What VictoriaMetrics has of one field. */
async function valuesOf(port: number, field: string): Promise<number[]> {
  await fetch(`http://127.0.0.1:${port}/internal/force_flush`)
  const match = encodeURIComponent(`{__name__="${field}",app="shop"}`)
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/export?match[]=${match}`)
  return (await answer.text())
    .split('\n')
    .filter(line => line !== '')
    .flatMap(line => (JSON.parse(line) as { readonly values: number[] }).values)
}

test('FC-16 FC-17 VictoriaMetrics takes the writes of version 2, restarted meanwhile, and has every number', {
  skip,
}, async t => {
  if (found.skip !== false) return
  const { server } = found
  const { port } = server
  const chest = influx({ host: '127.0.0.1', port, tags: { app: 'shop' }, layout: 'request' })
  assert.deepEqual(await chest.check(), [])
  const { box, lines } = aService(t, chest)
  let made = 0
  const work = (): void => box.run({ name: 'job' }, () => box.set({ total: made++ / 4, user: 'u' }))
  for (let n = 0; n < 50; n++) work()
  await eventually(() => box.stats().chests[0]?.delivered === 50)
  await server.halt()
  for (let n = 0; n < 50; n++) work()
  await eventually(() => lines.some(line => JSON.parse(line).notice === 'chest_delayed'))
  const [message] = await chest.check()
  assert.equal(message?.id, 'deedbox.chest.unreachable')
  await server.start()
  await eventually(() => box.stats().chests[0]?.delivered === made)
  // It keeps what comes twice, and shows what it has taken only a moment later.
  const shown = async (): Promise<Set<number>> => new Set(await valuesOf(port, 'sample_total'))
  await eventually(async () => (await shown()).size === made)
  const numbers = await shown()
  assert.deepEqual(
    [...numbers].sort((a, b) => a - b),
    Array.from({ length: made }, (_, n) => n / 4),
  )
  await eventually(async () => (await valuesOf(port, 'sample_user')).length > 0)
  assert.deepEqual(new Set(await valuesOf(port, 'sample_user')), new Set([0]), 'texts are not kept')
})
