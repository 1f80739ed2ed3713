import { initLogger } from 'evlog'
import { evlog } from './evlog-middleware.ts'
import { serveExpress } from './service.ts'

initLogger({ env: { service: 'shop' } })
await serveExpress(app => app.use(evlog()))
