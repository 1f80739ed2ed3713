import { expressLogger } from '@logtape/express'
import { configure, getConsoleSink, getJsonLinesFormatter } from '@logtape/logtape'
import { serveExpress } from './service.ts'

await configure({
  sinks: { console: getConsoleSink({ formatter: getJsonLinesFormatter() }) },
  loggers: [
    { category: ['express'], sinks: ['console'], lowestLevel: 'info' },
    { category: ['logtape', 'meta'], sinks: ['console'], lowestLevel: 'warning' },
  ],
})
await serveExpress(app => app.use(expressLogger()))
