// A service process that logs so many lines and then ends in a way of its own.
// Arguments: the number of lines, how to end, the stream.

import { createServer } from 'node:http'
import { deedbox, type StandardStream } from '../index.ts'

const [count = '0', ending = '', stream = 'stderr'] = process.argv.slice(2)
const box = deedbox({
  service: 'ending',
  env: 'production',
  ledger: null,
  audit: { requests: false },
  log: { sink: stream as StandardStream, source: 'never' },
})

function logAll(): void {
  for (let i = 0; i < Number(count); i++) box.log.info('counted', { i, padding: 'x'.repeat(100) })
}

/** Keeps the process alive and tells the parent over the channel that it is ready to be ended. */
function waitForSignal(): void {
  const server = createServer()
  server.listen(0, '127.0.0.1', () => process.send?.('ready'))
  process.once('message', () => {
    // In the same turn as the signal's arrival nothing may be left behind either.
    logAll()
    process.kill(process.pid, 'SIGTERM')
  })
}

switch (ending) {
  case 'natural':
    logAll()
    break
  case 'slow-reader':
    // Touched, a pipe no longer blocks: it refuses what it has no room for.
    process.stdout.writable
    process.send?.('full soon')
    logAll()
    process.disconnect()
    break
  case 'exit':
    logAll()
    process.exit(3)
    break
  case 'exit-in-promise':
    await null
    logAll()
    process.exit(3)
    break
  case 'throw':
    logAll()
    throw new Error('uncaught')
  case 'throw-later':
    setImmediate(() => {
      logAll()
      throw new Error('uncaught')
    })
    break
  case 'reject':
    logAll()
    void Promise.reject(new Error('unhandled'))
    break
  case 'signal':
    waitForSignal()
    break
  case 'signal-handled':
    process.on('SIGTERM', () => {
      box.log.info('counted', { last: true })
      process.exit(7)
    })
    waitForSignal()
    break
  default:
    throw new Error(`unknown ending ${ending}`)
}
