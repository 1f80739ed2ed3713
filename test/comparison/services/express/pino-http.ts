import { pinoHttp } from 'pino-http'
import { serveExpress } from './service.ts'

await serveExpress(app => app.use(pinoHttp()))
