import { checkLevels, type HealthReport, levelText } from '../checks/index.ts'
import { drainingReason } from '../draining.ts'
import { errorTrace, isBearer } from '../safety/index.ts'
import type { HealthSettings, MetricsSource } from './health-options.ts'
import { fails, type Heartbeat } from './heartbeat.ts'
import { type VersionAnswer, versionFile } from './version-file.ts'

/** A request, as far as health endpoints read it. */
export interface HealthRequest {
  readonly method: string
  /** Its path, with or without a query. */
  readonly url: string
  readonly authorization: string | undefined
}

/** What a health endpoint answers. */
export interface HealthAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Empty for HEAD, whose headers are those of GET. */
  readonly body: string
  /** What shall be thrown instead, so that the framework answers it and all that watches it sees it. */
  readonly raise?: Error
}

/** The endpoints of one `health()`. */
export interface HealthEndpoints {
  /** The path of the endpoint that serves a URL, as records name it; `undefined` for what none of them does. */
  match(url: string): string | undefined
  /** Answers what {@link match} knows. Never rejects; what is known at once is no promise. */
  answer(request: HealthRequest): HealthAnswer | Promise<HealthAnswer>
}

type Endpoint = (request: HealthRequest) => HealthAnswer | Promise<HealthAnswer>

/** A line of the endpoint's own in the log. */
export type HealthLog = (level: 'ERROR', message: string, fields?: Record<string, unknown>) => void

/** Where Prometheus looks unless it is told otherwise. */
const metricsPath = '/metrics'

/** Milliseconds between two calls of `/__error__`. (Gap 13) */
const errorPause = 10_000

/** All of Dockerflow's paths, and readiness. (DF-01, X-18) */
export function healthEndpoints(
  settings: HealthSettings,
  heartbeat: Heartbeat,
  log: HealthLog,
): HealthEndpoints {
  const paths = new Map<string, Endpoint>([
    ['/__version__', versionEndpoint(settings, log)],
    ['/__lbheartbeat__', () => text(200, '')],
    ['/__heartbeat__', request => reportEndpoint(request, settings, heartbeat, 'diagnosis')],
    ['/__readiness__', request => reportEndpoint(request, settings, heartbeat, 'readiness')],
  ])
  if (settings.error !== 'never') paths.set('/__error__', errorEndpoint(settings, log))
  const { metrics } = settings
  if (metrics !== undefined) paths.set(metricsPath, request => metricsEndpoint(request, metrics, log))
  const hasMetrics = metrics !== undefined
  const match = (url: string): string | undefined => {
    // All of them begin so; nearly all other requests are told by this alone.
    if (!url.startsWith('/__') && !(hasMetrics && url.startsWith(metricsPath))) return undefined
    const path = url.split(/[?#]/, 1)[0]!
    const exact = path.endsWith('/') ? path.slice(0, -1) : path
    return paths.has(exact) ? exact : undefined
  }
  return {
    match,
    answer(request) {
      const endpoint = paths.get(match(request.url) ?? '')
      if (endpoint === undefined) return text(404, 'Not Found')
      const { method } = request
      if (method === 'OPTIONS')
        return { ...text(200, ''), headers: { ...text(200, '').headers, Allow: allowed } }
      if (method !== 'GET' && method !== 'HEAD') {
        const refusal = text(405, 'Method Not Allowed')
        return { ...refusal, headers: { ...refusal.headers, Allow: allowed } }
      }
      const answer = endpoint(request)
      if (method === 'GET') return answer
      return answer instanceof Promise ? answer.then(withoutBody) : withoutBody(answer)
    },
  }
}

const allowed = 'GET, HEAD, OPTIONS'

function versionEndpoint({ version, versionFolder }: HealthSettings, log: HealthLog): Endpoint {
  const file = versionFile(versionFolder)
  let told: VersionAnswer | undefined
  const answered = (answer: VersionAnswer): HealthAnswer => {
    if (answer.kind === 'found') return json(200, answer.version)
    if (answer.kind === 'missing') return text(404, 'version.json not found')
    if (answer !== told) log('ERROR', answer.problem)
    told = answer
    return json(500, { error: answer.problem })
  }
  if (version === undefined) return () => answered(file())
  return async () => {
    try {
      const given = (await version(versionFolder)) ?? undefined
      return answered(given === undefined ? { kind: 'missing' } : { kind: 'found', version: given })
    } catch (error) {
      log('ERROR', 'The version function failed', { trace: errorTrace(error) })
      return json(500, { error: 'the version function failed; its log says how' })
    }
  }
}

async function reportEndpoint(
  request: HealthRequest,
  settings: HealthSettings,
  heartbeat: Heartbeat,
  view: 'diagnosis' | 'readiness',
): Promise<HealthAnswer> {
  const report = withDraining((await heartbeat.results())[view], settings.failLevel)
  const { status, checks, details } = report
  const code = fails(report, settings.failLevel) ? settings.failedStatus : 200
  return json(
    code,
    isSeen(settings.details, request, settings) ? { status, checks, details } : { status, checks },
  )
}

/** A process that is about to end is not ready, whatever its checks say. (Ruling 28) */
function withDraining(report: HealthReport, failLevel: number): HealthReport {
  const reason = drainingReason()
  if (reason === undefined) return report
  const level = Math.max(checkLevels.error, failLevel)
  const status = levelText(level)
  const worst = Math.max(level, report.level)
  return {
    status: levelText(worst),
    level: worst,
    checks: { ...report.checks, draining: status },
    details: {
      ...report.details,
      draining: {
        status,
        level,
        messages: { 'deedbox.health.E105': `This process is about to end: ${reason}` },
      },
    },
  }
}

function errorEndpoint(settings: HealthSettings, log: HealthLog): Endpoint {
  let next = 0
  return request => {
    if (!isSeen(settings.error, request, settings)) return text(404, 'Not Found')
    const now = performance.now()
    if (now < next) {
      const seconds = String(Math.ceil((next - now) / 1_000))
      const answer = text(429, `Only once in ${errorPause / 1_000} seconds.`)
      return { ...answer, headers: { ...answer.headers, 'Retry-After': seconds } }
    }
    next = now + errorPause
    const message = 'The __error__ endpoint was called'
    log('ERROR', message)
    return { ...text(500, 'Internal Server Error'), raise: new Error(message) }
  }
}

async function metricsEndpoint(
  { authorization }: HealthRequest,
  metrics: MetricsSource,
  log: HealthLog,
): Promise<HealthAnswer> {
  if (metrics.allows?.(authorization) === false) {
    const answer = text(401, 'Unauthorized')
    return { ...answer, headers: { ...answer.headers, 'WWW-Authenticate': 'Bearer' } }
  }
  try {
    return answerOf(200, metrics.contentType, await metrics.render())
  } catch (error) {
    log('ERROR', 'The metrics could not be made', { trace: errorTrace(error) })
    return text(500, 'Internal Server Error')
  }
}

function isSeen(
  audience: HealthSettings['details'],
  request: HealthRequest,
  { token, authorise }: HealthSettings,
): boolean {
  if (audience !== 'authorised') return audience === 'always'
  if (token !== undefined && isBearer(request.authorization, token)) return true
  try {
    return authorise?.(request) === true
  } catch {
    return false
  }
}

/** Nobody may keep what is true for a moment; and a proxy may compress it. (DF-12, ruling 28) */
const always = { 'Cache-Control': 'no-store', Vary: 'Accept-Encoding', 'X-Content-Type-Options': 'nosniff' }

function text(status: number, body: string): HealthAnswer {
  return answerOf(status, 'text/plain; charset=utf-8', body)
}

function json(status: number, value: object): HealthAnswer {
  return answerOf(status, 'application/json', JSON.stringify(value))
}

function answerOf(status: number, type: string, body: string): HealthAnswer {
  return {
    status,
    headers: { ...always, 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(body)) },
    body,
  }
}

function withoutBody(answer: HealthAnswer): HealthAnswer {
  return { ...answer, body: '' }
}
