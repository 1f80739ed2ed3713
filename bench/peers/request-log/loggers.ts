import { type Deedbox, deedbox } from 'deedbox'
import type { Logger } from 'winston'

// What more than one framework needs of a logger. A library is loaded by whoever measures it.

/** The trivial answer; frameworks that serialise by themselves get the object. */
export const answer = { ok: true }

/** Ours as it comes, but for standard output as the sink, and one line for a request instead of a line and an event. */
export function box(): Deedbox {
  return deedbox({ service: 'bench', ledger: null, audit: { requests: false }, log: { sink: 'stdout' } })
}

/** A logger of winston as its README makes one for JSON, on the console. */
export async function winstonLogger(): Promise<Logger> {
  const { createLogger, format, transports } = await import('winston')
  return createLogger({
    format: format.combine(format.timestamp(), format.json()),
    transports: [new transports.Console()],
  })
}

/** The least that a request line has, for winston, which has no request log of its own. */
export function requestFields(
  request: { method?: string | undefined; url?: string | undefined },
  status: number,
  duration: number,
): Record<string, unknown> {
  return { method: request.method, url: request.url, status, duration }
}

/** `evlog` as it comes. */
export async function startEvlog(): Promise<void> {
  const { initLogger } = await import('evlog')
  initLogger({ env: { service: 'bench' } })
}

/** LogTape, into its console sink with its formatter for JSON lines. */
export async function startLogtape(category: string): Promise<void> {
  const { configure, getConsoleSink, getJsonLinesFormatter } = await import('@logtape/logtape')
  await configure({
    sinks: { console: getConsoleSink({ formatter: getJsonLinesFormatter() }) },
    loggers: [
      { category, sinks: ['console'], lowestLevel: 'info' },
      { category: ['logtape', 'meta'], sinks: ['console'], lowestLevel: 'warning' },
    ],
  })
}
