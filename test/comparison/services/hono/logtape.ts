import { honoLogger } from '@logtape/hono'
import { configure, getConsoleSink, getJsonLinesFormatter } from '@logtape/logtape'
import { serveHono } from './service.ts'

await configure({
  sinks: { console: getConsoleSink({ formatter: getJsonLinesFormatter() }) },
  loggers: [
    { category: ['hono'], sinks: ['console'], lowestLevel: 'info' },
    { category: ['logtape', 'meta'], sinks: ['console'], lowestLevel: 'warning' },
  ],
})
await serveHono(app => app.use(honoLogger()))
