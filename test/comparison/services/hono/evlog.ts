import { initLogger } from 'evlog'
import { evlog } from 'evlog/hono'
import { serveHono } from './service.ts'

initLogger({ env: { service: 'shop' } })
await serveHono(app => app.use(evlog()))
