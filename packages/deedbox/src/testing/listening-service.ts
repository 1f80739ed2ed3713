// A service with health endpoints that listens, for tests that tell it to end. Requests for
// `/held` wait for a message of the parent, and so does the end of the delay.
import { createServer } from 'node:http'
import { health, observe } from '../frameworks/node-http.ts'
import { deedbox, listen } from '../index.ts'

const number = (name: string): number | undefined =>
  process.env[name] === undefined ? undefined : Number(process.env[name])
const delay = number('DELAY')

const now = performance.now()
// All signals are then the first one once more.
if (process.env.CLOCK === 'still') performance.now = () => now

let endDelay = (): void => {}
const setTimer = globalThis.setTimeout
if (delay !== undefined) {
  const setOwn = (work: () => void, time: number, ...values: []): NodeJS.Timeout => {
    if (time === delay) endDelay = work
    return setTimer(work, time, ...values)
  }
  globalThis.setTimeout = setOwn as typeof setTimer
}

const durability = process.env.DURABILITY === 'memory' ? { durability: 'memory' as const } : {}
const box = deedbox({ service: 'service', audit: { linger: 60_000, ...durability } })
const waiting: (() => void)[] = []
const answer = observe(box)((request, response) => {
  if (request.url !== '/held') return response.end('ok')
  waiting.push(() => response.end('held'))
  console.log('holding')
})
process.on('message', message => {
  if (message === 'go on') for (const each of waiting) each()
  if (message === 'delay over') endDelay()
  console.log(`still here: ${message}`)
})
// The channel to the parent shall not decide how long the process lives.
process.channel?.unref()

// One that ends nothing.
if (process.env.HANDLER === 'idle') process.on('SIGTERM', () => console.log('heard'))
// One that does not end the process before it is told to.
if (process.env.HANDLER === 'again') {
  const again = (signal: NodeJS.Signals): void => {
    process.once('message', () => {
      process.off('SIGTERM', again)
      process.kill(process.pid, signal)
    })
  }
  process.on('SIGTERM', again)
}

const listening = await listen(createServer(health(box, { cache: 0 })(answer)), {
  port: process.env.PORT === undefined ? 0 : undefined,
  host: '127.0.0.1',
  drainDelay: delay,
  drainTimeout: number('TIMEOUT'),
  onDraining: () => console.log('goodbye'),
  onDrained: () => console.log('drained'),
})
setInterval(() => {}, 60_000)
console.log(`port ${listening.port}`)
