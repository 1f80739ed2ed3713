// A service process that logs so many lines and then ends in a way of its own.
// Arguments: the number of lines, how to end, the stream, or `file` or `function` with the path of a file.

import { appendFileSync, existsSync, renameSync, watch } from 'node:fs'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import { deedbox, type LogSink, type StandardStream } from '../index.ts'
import { fileSink, functionSink } from '../log/index.ts'

const [count = '0', ending = '', stream = 'stderr', path = ''] = process.argv.slice(2)

function sink(): LogSink | StandardStream {
  if (stream === 'file') return fileSink({ path, rotate: { size: '50 kB' }, compress: 'gzip' })
  if (stream === 'function') return functionSink(line => appendFileSync(path, `${line}\n`))
  return stream as StandardStream
}

const box = deedbox({
  service: 'ending',
  env: 'production',
  ledger: null,
  audit: { requests: false },
  log: { sink: sink(), source: 'never' },
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
  case 'hangup': {
    // Moved away, and nothing is logged: only the signal can bring the file back.
    renameSync(path, `${path}.1`)
    const folder = watch(dirname(path), () => {
      if (!existsSync(path)) return
      folder.close()
      process.send?.('reopened')
    })
    process.once('message', () => process.disconnect())
    process.send?.('moved')
    break
  }
  default:
    throw new Error(`unknown ending ${ending}`)
}
