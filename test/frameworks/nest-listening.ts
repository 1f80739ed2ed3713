// A service on the Nest of a folder, with shutdown hooks, for tests that tell it to end. Requests wait for the message
// `go on`, and the end of the delay for `delay over`.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type ListenApp, listen } from 'deedbox'

const require = createRequire(join(import.meta.dirname, process.env.NEST ?? '', 'package.json'))
const { Module } = require('@nestjs/common') as typeof import('@nestjs/common')
const { NestFactory } = require('@nestjs/core') as typeof import('@nestjs/core')

class Root {
  onModuleDestroy(): void {
    console.log('hook: destroy')
  }
  onApplicationShutdown(signal: string): void {
    console.log(`hook: shutdown by ${signal}`)
  }
}
Module({})(Root)

const told = async (text: string): Promise<void> => {
  for (;;) if ((await once(process, 'message'))[0] === text) return
}
const delay = 600_000
const setTimer = globalThis.setTimeout
const setOwn = (work: () => void, time: number, ...values: []): NodeJS.Timeout => {
  if (time === delay) void told('delay over').then(work)
  return setTimer(work, time, ...values)
}
globalThis.setTimeout = setOwn as typeof setTimer

const app = await NestFactory.create(Root, { logger: false })
app.use(async (request: { url: string }, response: { end(text: string): void }) => {
  if (request.url === '/held') {
    console.log('holding')
    await told('go on')
  }
  response.end('late')
})
app.enableShutdownHooks()
const count = (): number => process.listenerCount('SIGHUP')
const before = count()
const service = await listen(app as ListenApp, { port: 0, host: '127.0.0.1', drainDelay: delay })
console.log(`SIGHUP ${before} ${count()}`)
if (process.env.HOW === 'close') {
  await service.close()
  console.log(`closed ${count()} ${process.listenerCount('SIGTERM')}`)
  process.exit(0)
}
console.log(`port ${service.port}`)
