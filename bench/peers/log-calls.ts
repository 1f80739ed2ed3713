import { AsyncLocalStorage } from 'node:async_hooks'
import type { Announcement } from './serve.ts'

// A process that makes log calls inside a request: one message, three fields and the request's id on each line, which
// goes to standard output; that is /dev/null here. On a message `{ seconds }` it logs for so long, in turns of the event
// loop as requests are, and answers how many calls it made. Argument: the logger as named below.

/** What one turn came to; a call counts as a request. */
export interface LogCallsResult {
  requests: number
  seconds: number
  cpuSeconds: number
}

interface Calls {
  /** Makes the n-th call. */
  call(n: number): void
  /** Runs work in the context from which the logger takes the request's id, where it does so. */
  inside?<Result>(work: () => Result): Result
}

type Make = () => Promise<Calls>

const id = '0198f4e2-5c2b-7a44-9a3e-3d0c5b1f2a61'
/** How many calls one turn of the event loop makes: those of a few requests. */
const callsOfTurn = 20

const ours = (source: 'warn' | 'always' | 'never'): Make => {
  return async () => {
    const { deedbox } = await import('deedbox')
    const box = deedbox({ service: 'bench', ledger: null, log: { sink: 'stdout', source } })
    return {
      call: n => box.log.info('charging the card', { order: 4711, attempt: n, method: 'visa' }),
      inside: work => box.run({ name: 'turn', requestId: id }, work),
    }
  }
}

const loggers: Record<string, Make> = {
  'deedbox-warn': ours('warn'),
  'deedbox-always': ours('always'),
  pino: async () => {
    const { pino } = await import('pino')
    const log = pino().child({ request_id: id })
    return { call: n => log.info({ order: 4711, attempt: n, method: 'visa' }, 'charging the card') }
  },
  // What a service needs for the request's id without passing a logger along, as `deedbox` has it.
  'pino-mixin': async () => {
    const { pino } = await import('pino')
    const context = new AsyncLocalStorage<{ request_id: string }>()
    const log = pino({ mixin: () => context.getStore() ?? {} })
    return {
      call: n => log.info({ order: 4711, attempt: n, method: 'visa' }, 'charging the card'),
      inside: work => context.run({ request_id: id }, work),
    }
  },
  winston: async () => {
    const { createLogger, format, transports } = await import('winston')
    const log = createLogger({
      format: format.combine(format.timestamp(), format.json()),
      transports: [new transports.Console()],
    }).child({ request_id: id })
    return { call: n => void log.info('charging the card', { order: 4711, attempt: n, method: 'visa' }) }
  },
  logtape: async () => {
    const { configure, getConsoleSink, getJsonLinesFormatter, getLogger } = await import('@logtape/logtape')
    await configure({
      sinks: { console: getConsoleSink({ formatter: getJsonLinesFormatter() }) },
      loggers: [
        { category: 'bench', sinks: ['console'], lowestLevel: 'info' },
        { category: ['logtape', 'meta'], sinks: ['console'], lowestLevel: 'warning' },
      ],
    })
    const log = getLogger('bench').with({ request_id: id })
    return { call: n => log.info('charging the card', { order: 4711, attempt: n, method: 'visa' }) }
  },
  evlog: async () => {
    const { initLogger, log } = await import('evlog')
    initLogger({ env: { service: 'bench' } })
    return {
      call: n =>
        log.info({ message: 'charging the card', request_id: id, order: 4711, attempt: n, method: 'visa' }),
    }
  },
  loglayer: async () => {
    const { LogLayer, StructuredTransport } = await import('loglayer')
    const log = new LogLayer({
      transport: new StructuredTransport({ logger: console, stringify: true }),
    }).withContext({ request_id: id })
    return {
      call: n => log.withMetadata({ order: 4711, attempt: n, method: 'visa' }).info('charging the card'),
    }
  },
}

const [name = ''] = process.argv.slice(2)
const calls = await loggers[name]?.()
if (calls === undefined) throw new Error(`There is no ${name} here.`)
const { call, inside = work => work() } = calls

let made = 0
async function logFor(seconds: number): Promise<LogCallsResult> {
  const cpu = process.cpuUsage()
  const from = performance.now()
  const first = made
  while (performance.now() - from < seconds * 1000) {
    for (let n = 0; n < callsOfTurn; n++) call(++made)
    await new Promise(setImmediate)
  }
  const { user, system } = process.cpuUsage(cpu)
  const passed = (performance.now() - from) / 1000
  return { requests: made - first, seconds: passed, cpuSeconds: (user + system) / 1e6 }
}

process.on('message', message => {
  const { seconds } = message as { seconds: number }
  void inside(() => logFor(seconds)).then(result => process.send?.(result))
})
process.on('disconnect', () => process.exit(0))
const ready: Announcement = { port: 0, settings: {} }
process.send?.(ready)
