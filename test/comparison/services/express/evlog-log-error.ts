import { initLogger } from 'evlog'
import type { ErrorRequestHandler } from 'express'
import { evlog } from './evlog-middleware.ts'
import { serveExpress } from './service.ts'

const logError: ErrorRequestHandler = (error, request, _response, next) => {
  request.log.error(error)
  next(error)
}
initLogger({ env: { service: 'shop' } })
await serveExpress(
  app => app.use(evlog()),
  app => app.use(logError),
)
