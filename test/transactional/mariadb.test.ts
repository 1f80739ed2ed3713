import { mariadb } from '../servers/mariadb.ts'
import { serverFor } from '../servers/running-server.ts'
import { outboxSuite } from './suite.ts'

const found = await serverFor(mariadb)

outboxSuite('MariaDB', found.skip, () => {
  if (found.skip !== false) throw new Error(found.skip)
  return { kind: 'mysql', port: found.server.port }
})
