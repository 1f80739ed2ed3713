import { postgres } from '../servers/postgres.ts'
import { serverFor } from '../servers/running-server.ts'
import { outboxSuite } from './suite.ts'

const found = await serverFor(postgres)

outboxSuite('PostgreSQL', found.skip, () => {
  if (found.skip !== false) throw new Error(found.skip)
  return { kind: 'postgres', port: found.server.port }
})
