import { deedbox } from '../index.ts'

// A log on stderr that says three things, in the form that ENV and the variables of the pretty view choose.
const { log } = deedbox({
  service: 'child',
  ledger: null,
  log: {
    level: 'DEBUG',
    source: 'never',
    sinks: [{ to: 'stderr', filter: ({ fields }) => fields?.notice !== 'no_ledger' }],
  },
  processErrors: 'off',
})
log.info('hello', { user: { id: 7 }, password: 'hunter2' })
log.debug('a message of so many words that no narrow window can show all of them on one row')
log.error('failed', new Error('no \x1b[31mred'))
