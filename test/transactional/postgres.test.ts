import { postgres } from '../servers/postgres.ts'
import { serverFor } from '../servers/running-server.ts'
import { outboxSuite } from './suite.ts'

const found = await serverFor(postgres)

for (const isolation of ['read committed', 'serializable'])
  outboxSuite(`PostgreSQL, ${isolation}`, found.skip, () => {
    if (found.skip !== false) throw new Error(found.skip)
    return { kind: 'postgres', port: found.server.port, isolation }
  })
