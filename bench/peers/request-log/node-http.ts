import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { answer, box, requestFields, winstonLogger } from './loggers.ts'

const body = JSON.stringify(answer)

function handle(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length })
  response.end(body)
}

/** The trivial handler on `node:http`, by who logs. */
export const servers: Record<string, () => Promise<Server>> = {
  bare: async () => createServer(handle),
  deedbox: async () => {
    const { observe } = await import('deedbox/http')
    return createServer(observe(box())(handle))
  },
  'pino-http': async () => {
    const { pinoHttp } = await import('pino-http')
    const log = pinoHttp()
    return createServer((request, response) => {
      log(request, response)
      handle(request, response)
    })
  },
  morgan: async () => {
    const { default: morgan } = await import('morgan')
    const log = morgan('combined')
    return createServer((request, response) => log(request, response, () => handle(request, response)))
  },
  winston: async () => {
    const logger = await winstonLogger()
    return createServer((request, response) => {
      const started = performance.now()
      response.on('finish', () =>
        logger.info('request', requestFields(request, response.statusCode, performance.now() - started)),
      )
      handle(request, response)
    })
  },
}
