// A service that reads its configuration, tells that it started, and ends in the way that ENDING names.

import { createServer } from 'node:http'
import { integer, lifecycleLines, profileOf, readConfigOrExit, text, url } from '../config/index.ts'
import { deedbox } from '../index.ts'

const config = readConfigOrExit(
  { port: integer({ default: 8000 }), databaseUrl: url(), apiKey: text(), pin: integer({ default: 1234 }) },
  { prefix: 'ACME_', file: false, profiles: { testing: { apiKey: 'none' } } },
)
const box = deedbox({ env: profileOf(config), ledger: null, log: { source: 'never' } })
const { ENDING = 'naturally' } = process.env
const lines = lifecycleLines(box, config, { atEnd: ENDING !== 'by-hand' })
lines.started()

switch (ENDING) {
  case 'naturally':
    break
  case 'closed':
    await box.close()
    break
  case 'by-hand':
    lines.stopped()
    lines.stopped()
    break
  case 'exit':
    process.exit(3)
    break
  case 'throw':
    throw new Error('uncaught')
  default:
    createServer().listen(0, '127.0.0.1', () => box.log.info('ready'))
}

// Handlers of a service's own: one ends it, the other lives on until the next signal.
if (ENDING === 'handler') process.on('SIGTERM', () => process.exit(7))
if (ENDING === 'reload') {
  process.once('SIGTERM', () => {
    box.log.info('reloaded')
    process.once('SIGTERM', () => process.exit(0))
  })
}
