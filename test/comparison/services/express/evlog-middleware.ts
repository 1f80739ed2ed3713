import type { RequestHandler } from 'express'

// A specifier that the compiler does not follow: the types of evlog and those of pino-http both give the request a
// `log`, and no program can hold the two.
const entry: string = 'evlog/express'
const loaded = (await import(entry)) as { evlog(): RequestHandler }

/** The middleware of `evlog/express` with its defaults. */
export const evlog: () => RequestHandler = loaded.evlog
