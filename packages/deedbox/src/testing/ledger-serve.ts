import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { observe } from '../frameworks/node-http.ts'
import { deedbox } from '../index.ts'

// A service that has answered 100 requests and holds their events back, ready to be told to end.
const now = performance.now()
// All signals are then the first one once more.
if (process.env.CLOCK === 'still') performance.now = () => now
process.on('message', message => console.log(`still here: ${message}`))
process.channel?.unref()
const durability = process.env.DURABILITY === 'memory' ? { durability: 'memory' as const } : {}
const box = deedbox({ service: 'service', audit: { linger: 60_000, ...durability } })
if (process.env.COPIES === '2') {
  const { registerHooks } = await import('node:module')
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const isCopy = context.parentURL?.endsWith('?copy') === true && resolved.url.startsWith('file:')
      return isCopy && !resolved.url.includes('/node_modules/')
        ? { ...resolved, url: `${resolved.url}?copy` }
        : resolved
    },
  })
  const name = '../index.ts?copy'
  const copy = (await import(name)) as { deedbox: typeof deedbox }
  const other = copy.deedbox({ service: 'other copy', audit: { linger: 60_000 } })
  other.run({ name: 'job' }, () => other.event('copy.job'))
}
const server = createServer(observe(box)((_request, response) => response.end('ok')))
if (process.env.HANDLER === 'exit') process.on('SIGTERM', () => process.exit(7))
if (process.env.HANDLER === 'again') {
  process.once('SIGTERM', async signal => {
    await null
    process.kill(process.pid, signal)
  })
}
if (process.env.HANDLER === 'drain') {
  process.once('SIGTERM', () => {
    server.close()
    void box.close().then(() => console.log('drained'))
  })
}
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`
for (let i = 0; i < 100; i++) await (await fetch(`${url}/${i}`)).text()
console.log('answered')
