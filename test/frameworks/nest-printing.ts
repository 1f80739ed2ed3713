import { captureLog } from '../../packages/deedbox/src/testing/captured-log.ts'
import { requestTour } from './nest.ts'

// A service of its own process, so that what Nest prints can be seen: with its logger on, and an instance that
// prints nothing. What the client got is told to the parent over the channel of the fork.
const [tour = '', platform = '', policy = ''] = process.argv.slice(2)
const { box } = captureLog()
const answers = policy === 'answer' ? ({ unhandled: 'answer', validation: 'answer' } as const) : {}
const told = await requestTour(tour, platform as 'express' | 'fastify', box, answers, true, async ask => [
  await ask('GET', '/api/v2/cats/broken'),
  await ask('GET', '/api/v2/cats/cut'),
  await ask('GET', '/api/v2/cats/7', { headers: { 'x-stop': '1' } }),
  await ask('POST', '/api/v2/cats/orders', { body: '{"amount":"x"}' }),
  await ask('GET', '/api/v2/cats/unavailable'),
])
process.send?.(told)
await box.close()
process.disconnect?.()
