import { createInstanceLog, createLogger, flatLine } from '../log/index.ts'
import { choosePretty, isPretty, prettyLine, terminalOf } from '../log/pretty/index.ts'
import { createRedactor } from '../safety/index.ts'

// A log on stderr that says three things, in the form that ENV and the variables of the pretty view choose.
const { options, warnings } = choosePretty(process.env, terminalOf('stderr'))
const instanceLog = createInstanceLog({
  level: 'DEBUG',
  sink: 'stderr',
  source: 'never',
  format: isPretty(process.env.ENV ?? 'production', undefined, 'stderr') ? prettyLine(options) : flatLine,
  redactor: createRedactor(),
  scope: () => undefined,
})
const log = createLogger(() => instanceLog.writer)
for (const warning of warnings) log.warning(warning)
log.info('hello', { user: { id: 7 }, password: 'hunter2' })
log.debug('a message of so many words that no narrow window can show all of them on one row')
log.error('failed', new Error('no \x1b[31mred'))
