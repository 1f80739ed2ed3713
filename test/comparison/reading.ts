/** What one line says about one request, in the words of all libraries. */
export interface Reading {
  /** The path that was asked for, without the query. */
  readonly path: string
  /** It is the record of the request's end; otherwise a line that was written on the way. */
  readonly isRecord: boolean
  /** `undefined`: the line has no status, or says that there was none. */
  readonly status: number | undefined
  /** In lower case, as the library names it; `undefined` where it has no levels. */
  readonly level: string | undefined
  /** It says in any way that the client left. */
  readonly toldAbort: boolean
  /** The message of the error on the line. */
  readonly error: string | undefined
}

/** Reads the lines of one service; those that are about no request are left out. */
export type Reader = (output: string) => Reading[]

/** `deedbox`: the request line as it comes. */
export const readDeedbox: Reader = output =>
  jsonLines(output).flatMap(line => {
    const path = pathOf(line.path_with_query)
    if (path === undefined) return []
    return {
      path,
      isRecord: 'status_code' in line,
      status: number(line.status_code),
      level: text(line.level)?.toLowerCase(),
      toldAbort: line.aborted === true,
      error: text(line.exception),
    }
  })

const pinoLevels = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
  [60, 'fatal'],
])

/**
 * `pino-http`, and what stands on it or is made in its way. Lines that name no path belong to the request whose
 * `reqId` they carry. A record has a response time; Fastify's word on a stream that was cut short counts as one too.
 */
export const readPino: Reader = output => {
  const paths = new Map<unknown, string>()
  return jsonLines(output).flatMap(line => {
    const own = pathOf(object(line.req).url)
    if (own !== undefined && line.reqId !== undefined) paths.set(line.reqId, own)
    const path = own ?? paths.get(line.reqId)
    if (path === undefined) return []
    const toldAbort = line.msg === 'request aborted' || line.msg === 'stream closed prematurely'
    return {
      path,
      isRecord: 'responseTime' in line || toldAbort,
      status: number(object(line.res).statusCode),
      level: pinoLevels.get(Number(line.level)),
      toldAbort,
      error: text(object(line.err).message),
    }
  })
}

/** `evlog`: one event for a request. */
export const readEvlog: Reader = output =>
  jsonLines(output).flatMap(line => {
    const path = pathOf(line.path)
    if (path === undefined) return []
    return {
      path,
      isRecord: 'durationMs' in line,
      status: number(line.status),
      level: text(line.level),
      toldAbort: line.connectionClosed === true,
      error: text(object(line.error).message),
    }
  })

/** LogTape's adapters through its JSON lines. They have no field for an abort and none for an error. */
export const readLogtape: Reader = output =>
  jsonLines(output).flatMap(line => {
    const properties = object(line.properties)
    const path = pathOf(properties.url)
    if (path === undefined) return []
    return {
      path,
      isRecord: 'status' in properties,
      status: number(properties.status),
      level: text(line.level)?.toLowerCase(),
      toldAbort: false,
      error: undefined,
    }
  })

/** `morgan` in its format `combined`; its README says that a status of `-` means that the client left. */
export const readMorgan: Reader = output =>
  [...output.matchAll(/"[A-Z]+ (\S+) HTTP\/[\d.]+" (\d{3}|-) /g)].map(([, url, status]) => ({
    path: pathOf(url) ?? '',
    isRecord: true,
    status: status === '-' ? undefined : Number(status),
    level: undefined,
    toldAbort: status === '-',
    error: undefined,
  }))

type Line = Readonly<Record<string, unknown>>

/** Frameworks print stack traces between the lines of the library; these are no JSON. */
function jsonLines(output: string): Line[] {
  return output.split('\n').flatMap(line => {
    if (!line.startsWith('{"')) return []
    return [JSON.parse(line) as Line]
  })
}

function pathOf(url: unknown): string | undefined {
  return typeof url === 'string' ? new URL(url, 'http://localhost').pathname : undefined
}

function object(value: unknown): Line {
  return typeof value === 'object' && value !== null ? (value as Line) : {}
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
