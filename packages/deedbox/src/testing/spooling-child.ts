import { deedbox } from '../index.ts'
import { internalsOf } from '../internals.ts'
import { someEvents } from './ledger-events.ts'

// A process that keeps COUNT events in its spool, says the keys, and stays, until somebody ends it.
const count = Number(process.env.COUNT)
const box = deedbox({ service: 'spooling', audit: { capacity: 50 } })
const { outlet, producer } = internalsOf(box).auditor
const events = someEvents(count)
for (const event of events) {
  producer.next()
  outlet.offer(event)
}
// One more that never comes into the spool, but is counted.
producer.next()
setImmediate(async () => {
  const [last] = someEvents(1)
  producer.next()
  await outlet.keep(last!)
  console.log(`kept ${JSON.stringify([...events, last].map(event => event?.idempotencyKey))}`)
  setInterval(() => {}, 60_000)
})
