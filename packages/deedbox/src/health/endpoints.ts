import { checkLevels, type HealthReport, levelText, reportOf } from '../checks/index.ts'
import { drainingReason } from '../draining.ts'
import { bearerTest, errorTrace } from '../safety/index.ts'
import { type HealthAnswer, type HealthRequest, jsonAnswer, textAnswer, withoutBody } from './answers.ts'
import type { HealthLog } from './health-log.ts'
import type { HealthSettings } from './health-options.ts'
import { fails, type Heartbeat } from './heartbeat.ts'
import { inTime } from './in-time.ts'
import { metricsEndpoint } from './metrics-endpoint.ts'
import { versionEndpoint } from './version-endpoint.ts'

/** The endpoints of one `health()`. */
export interface HealthEndpoints {
  /** The path of the endpoint that serves a URL, as records name it; `undefined` for what none of them does. */
  match(url: string): string | undefined
  /** Answers what {@link match} knows. Never throws or rejects; what is known at once is no promise. */
  answer(request: HealthRequest): HealthAnswer | Promise<HealthAnswer>
}

type Endpoint = (request: HealthRequest) => HealthAnswer | Promise<HealthAnswer>

/** Where Prometheus looks unless it is told otherwise. */
const metricsPath = '/metrics'

/** Milliseconds between two calls of `/__error__`. (Gap 13) */
const errorPause = 10_000

/** All of Dockerflow's paths, and readiness. (DF-01, X-18) */
export function healthEndpoints(
  settings: HealthSettings,
  heartbeat: Heartbeat,
  log: HealthLog,
  warn: HealthLog,
): HealthEndpoints {
  const isAuthorised = authorisedTest(settings)
  const sees = async (audience: HealthSettings['details'], request: HealthRequest): Promise<boolean> =>
    audience === 'always' || (audience === 'authorised' && (await isAuthorised(request)))
  const report =
    (view: 'diagnosis' | 'readiness'): Endpoint =>
    async request => {
      try {
        const [outcomes, isShown] = await Promise.all([
          heartbeat.outcomes(view),
          sees(settings.details, request),
        ])
        const results = withDraining(reportOf(outcomes, settings.silenced), settings.failLevel)
        const { status, checks, details } = results
        return jsonAnswer(
          fails(results, settings.failLevel) ? settings.failedStatus : 200,
          JSON.stringify(isShown ? { status, checks, details } : { status, checks }),
        )
      } catch (error) {
        log('The heartbeat failed', { trace: errorTrace(error) })
        return jsonAnswer(settings.failedStatus, '{"status":"error","checks":{}}')
      }
    }
  const paths = new Map<string, Endpoint>([
    ['/__version__', readOnly(versionEndpoint(settings, log, warn))],
    ['/__lbheartbeat__', readOnly(() => textAnswer(200, ''))],
    ['/__heartbeat__', readOnly(report('diagnosis'))],
    ['/__readiness__', readOnly(report('readiness'))],
  ])
  if (settings.error !== 'never') {
    const raise = readOnly(errorEndpoint(log))
    // Who may not see it finds nothing there, by no method, and does not use up the time of those who may.
    paths.set('/__error__', async request =>
      (await sees(settings.error, request)) ? raise(request) : textAnswer(404, 'Not Found'),
    )
  }
  const { metrics } = settings
  if (metrics !== undefined) paths.set(metricsPath, readOnly(metricsEndpoint(metrics, log)))
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
      if (endpoint === undefined) return textAnswer(404, 'Not Found')
      const answer = endpoint(request)
      if (request.method !== 'HEAD') return answer
      return answer instanceof Promise ? answer.then(withoutBody) : withoutBody(answer)
    },
  }
}

/** An endpoint that is asked by the methods that change nothing, and answers the others itself. */
function readOnly(endpoint: Endpoint): Endpoint {
  return request => {
    const { method } = request
    if (method === 'OPTIONS') return textAnswer(200, '', allowed)
    if (method !== 'GET' && method !== 'HEAD') return textAnswer(405, 'Method Not Allowed', allowed)
    return endpoint(request)
  }
}

const allowed = { Allow: 'GET, HEAD, OPTIONS' }

/** A process that is about to end is not ready, whatever its checks say, also one of that name. (Ruling 28) */
function withDraining(report: HealthReport, failLevel: number): HealthReport {
  const reason = drainingReason()
  if (reason === undefined) return report
  const own = report.details.draining
  const level = Math.max(checkLevels.error, failLevel, own?.level ?? 0)
  const status = levelText(level)
  const worst = Math.max(level, report.level)
  const messages = {
    ...own?.messages,
    'deedbox.health.E105': `This process is about to end: ${reason}`,
  }
  return {
    status: levelText(worst),
    level: worst,
    checks: { ...report.checks, draining: status },
    details: { ...report.details, draining: { ...own, status, level, messages } },
  }
}

/** Fails on purpose, once in a while. */
function errorEndpoint(log: HealthLog): Endpoint {
  let next = 0
  return () => {
    const now = performance.now()
    if (now < next) {
      const seconds = String(Math.ceil((next - now) / 1_000))
      return textAnswer(429, `Only once in ${errorPause / 1_000} seconds.`, { 'Retry-After': seconds })
    }
    next = now + errorPause
    const message = 'The __error__ endpoint was called'
    log(message)
    return { ...textAnswer(500, 'Internal Server Error'), raise: new Error(message) }
  }
}

/** Who has the token, and whom the service itself says. Never rejects, and does not wait for ever. */
function authorisedTest({
  token,
  authorise,
  timeout,
}: HealthSettings): (request: HealthRequest) => Promise<boolean> {
  const hasToken = token === undefined ? () => false : bearerTest(token)
  return async request => {
    if (hasToken(request.authorization)) return true
    if (authorise === undefined) return false
    try {
      return (await inTime(authorise(request), timeout)) === true
    } catch {
      return false
    }
  }
}
