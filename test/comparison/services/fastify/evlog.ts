import { initLogger } from 'evlog'
import { evlog } from 'evlog/fastify'
import fastify from 'fastify'
import { serveFastify } from './service.ts'

initLogger({ env: { service: 'shop' } })
const app = fastify({ logger: false })
await app.register(evlog)
await serveFastify(app)
