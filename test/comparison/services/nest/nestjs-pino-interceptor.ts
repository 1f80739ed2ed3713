import { Logger, LoggerErrorInterceptor, LoggerModule } from 'nestjs-pino'
import { serveNest } from './service.ts'

await serveNest(LoggerModule.forRoot(), app => {
  app.useLogger(app.get(Logger))
  app.useGlobalInterceptors(new LoggerErrorInterceptor())
})
