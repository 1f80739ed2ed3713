import type { ErrorRequestHandler } from 'express'
import { pinoHttp } from 'pino-http'
import { serveExpress } from './service.ts'

const keepError: ErrorRequestHandler = (error, _request, response, next) => {
  response.err = error
  next(error)
}
await serveExpress(
  app => app.use(pinoHttp()),
  app => app.use(keepError),
)
