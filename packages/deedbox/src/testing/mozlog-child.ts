import { log } from '../index.ts'

// One line, in the format and on the stream that the variables choose, with no instance made.
log.info('said', { order: 7 })
