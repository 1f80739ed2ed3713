// A service with an outbox, in a process of its own. Arguments: how it reaches the database, the table, the ledger, and
// what it does: write in a transaction, commit and say so; or relay.
import { deedbox } from 'deedbox'
import type { Reach } from './database.ts'
import { databaseAt } from './databases.ts'

const [reach = '', table = '', url = '', deed] = process.argv.slice(2)
const box = deedbox({ service: 'shop', ledger: { url, apiKey: 'deed_test_key' }, log: { level: 'error' } })
const opened = await databaseAt(JSON.parse(reach) as Reach).open(box, {
  table,
  keepAlive: true,
  interval: 20,
})
if (deed === 'write') {
  const session = await opened.begin()
  await session.write('order.placed', { order: 'o-1' }, { idempotencyKey: 'o-1' })
  await session.end('COMMIT')
  process.stdout.write('committed\n')
  process.stdin.resume()
} else await opened.outbox.start()
