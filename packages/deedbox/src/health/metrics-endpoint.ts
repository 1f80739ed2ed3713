import { errorTrace } from '../safety/index.ts'
import { answerOf, type HealthAnswer, type HealthRequest, textAnswer } from './answers.ts'
import type { HealthLog } from './health-log.ts'

/** What `metrics(box)` of `deedbox/metrics` returns, as far as it is served. */
export interface MetricsSource {
  readonly contentType: string
  render(): Promise<string>
  /** Whether who sends this `Authorization` header may see them: `true` alone lets in. Without it everybody may. */
  allows?(authorization: string | undefined): boolean | Promise<boolean>
  /** Told how to read the version object that `/__version__` has from its file, for metrics that are not given one. */
  versionFrom?(read: () => { readonly version?: unknown; readonly commit?: unknown } | undefined): void
}

/** Answers `/metrics`. Never throws or rejects; what is wrong is logged. */
export function metricsEndpoint(
  metrics: MetricsSource,
  log: HealthLog,
): (request: HealthRequest) => Promise<HealthAnswer> {
  return async ({ authorization }) => {
    try {
      if (metrics.allows !== undefined && (await metrics.allows(authorization)) !== true)
        return textAnswer(401, 'Unauthorized', { 'WWW-Authenticate': 'Bearer' })
      return answerOf(200, metrics.contentType, await metrics.render())
    } catch (error) {
      log('The metrics could not be made', { trace: errorTrace(error) })
      return textAnswer(500, 'Internal Server Error')
    }
  }
}
