import { type Reader, readDeedbox, readEvlog, readLogtape, readMorgan, readPino } from './reading.ts'

/** A library on a framework: a row of the table. */
export interface Row {
  readonly library: string
  readonly framework: string
  /** The service that has it, below `services/`. */
  readonly service: string
  readonly read: Reader
  /** A further step for which somebody has to know: the same service with it. */
  readonly step?: { readonly what: string; readonly service: string }
}

/** A framework or a library more is a service beside the others, and one line here. */
export const rows: readonly Row[] = [
  { library: 'deedbox', framework: '`node:http`', service: 'node-http/deedbox.ts', read: readDeedbox },
  { library: 'deedbox', framework: 'Express 5', service: 'express/deedbox.ts', read: readDeedbox },
  { library: 'deedbox', framework: 'Fastify 5', service: 'fastify/deedbox.ts', read: readDeedbox },
  { library: 'deedbox', framework: 'Koa 3', service: 'koa/deedbox.ts', read: readDeedbox },
  { library: 'deedbox', framework: 'Hono 4', service: 'hono/deedbox.ts', read: readDeedbox },
  { library: 'deedbox', framework: 'Nest 12 on Express', service: 'nest/deedbox.ts', read: readDeedbox },
  {
    library: 'pino-http',
    framework: '`node:http`',
    service: 'node-http/pino-http.ts',
    read: readPino,
    step: {
      what: 'where the service sets `response.err`, which its README does not mention and its code reads',
      service: 'node-http/pino-http-res-err.ts',
    },
  },
  {
    library: 'pino-http',
    framework: 'Express 5',
    service: 'express/pino-http.ts',
    read: readPino,
    step: {
      what: 'with an error middleware that sets `res.err`, which its README does not mention and its issue 348 does',
      service: 'express/pino-http-res-err.ts',
    },
  },
  {
    library: 'nestjs-pino',
    framework: 'Nest 12 on Express',
    service: 'nest/nestjs-pino.ts',
    read: readPino,
    step: {
      what: 'with its `LoggerErrorInterceptor`, as its README shows',
      service: 'nest/nestjs-pino-interceptor.ts',
    },
  },
  { library: 'Fastify’s own', framework: 'Fastify 5', service: 'fastify/fastify.ts', read: readPino },
  {
    library: 'evlog',
    framework: 'Express 5',
    service: 'express/evlog.ts',
    read: readEvlog,
    step: {
      what: 'with an error middleware that calls `req.log.error(error)`, as its example for Express has one',
      service: 'express/evlog-log-error.ts',
    },
  },
  { library: 'evlog', framework: 'Fastify 5', service: 'fastify/evlog.ts', read: readEvlog },
  { library: 'evlog', framework: 'Hono 4', service: 'hono/evlog.ts', read: readEvlog },
  { library: 'LogTape', framework: 'Express 5', service: 'express/logtape.ts', read: readLogtape },
  { library: 'LogTape', framework: 'Hono 4', service: 'hono/logtape.ts', read: readLogtape },
  { library: 'morgan', framework: 'Express 5', service: 'express/morgan.ts', read: readMorgan },
]
