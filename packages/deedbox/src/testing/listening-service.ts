// A service with health endpoints that listens, for tests that tell it to end. Requests for
// `/held` wait for a message of the parent.
import { createServer } from 'node:http'
import { health, observe } from '../frameworks/node-http.ts'
import { deedbox, listen } from '../index.ts'

const box = deedbox({ service: 'service', audit: { linger: 60_000 } })
const waiting: (() => void)[] = []
const answer = observe(box)((request, response) => {
  if (request.url !== '/held') return response.end('ok')
  waiting.push(() => response.end('held'))
  console.log('holding')
})
process.on('message', () => {
  for (const each of waiting) each()
})
// The channel to the parent shall not decide how long the process lives.
process.channel?.unref()

const number = (name: string): number | undefined =>
  process.env[name] === undefined ? undefined : Number(process.env[name])
const listening = await listen(createServer(health(box, { cache: 0 })(answer)), {
  port: process.env.PORT === undefined ? 0 : undefined,
  host: '127.0.0.1',
  drainDelay: number('DELAY'),
  drainTimeout: number('TIMEOUT'),
  onDrained: () => console.log('drained'),
})
setInterval(() => {}, 60_000)
console.log(`port ${listening.port}`)
