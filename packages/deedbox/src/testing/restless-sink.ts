import { setTimeout as delay } from 'node:timers/promises'
import { deedbox } from '../index.ts'

// A sink whose drain takes a turn of the event loop each time. The process has to end by itself all the same.
let drains = 0
const { log } = deedbox({
  service: 'restless',
  ledger: null,
  log: {
    sink: {
      write: () => undefined,
      drain: async () => {
        drains++
        await delay(1)
      },
    },
  },
})
log.info('one line')
process.on('exit', () => process.stdout.write(`${drains} drains\n`))
