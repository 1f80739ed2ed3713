import { log } from '../index.ts'

// Says one thing, with no instance made, and ends at once in the way that it is told.
log.info('last words')
const [how] = process.argv.slice(2)
if (how === 'exit') process.exit(0)
if (how === 'throw') throw new Error('uncaught')
if (how === 'signal') process.kill(process.pid, 'SIGTERM')
