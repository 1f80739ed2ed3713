import { bearerTest } from 'deedbox/event-rules'
import type { FastifyInstance } from 'fastify'
import { LedgerError } from '../errors.ts'
import type { Ledger } from '../ledger.ts'
import { problemSchema } from './answer-schemas.ts'
import type { LedgerMetrics } from './ledger-metrics.ts'

/** Who may fetch the metrics: who may verify, who has this token, or everybody. */
export type MetricsAccess = { readonly token?: string | undefined } | 'everybody'

/**
 * `GET /metrics`. They tell how much is written and when, so they are not for strangers. (Gap 13)
 * @param metrics absent without `prom-client`
 */
export function metricsRoute(
  app: FastifyInstance,
  ledger: Ledger,
  metrics: LedgerMetrics | undefined,
  access: MetricsAccess,
): void {
  const isOpen = access === 'everybody'
  const hasToken = isOpen || access.token === undefined ? () => false : bearerTest(access.token)
  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics in the text format of Prometheus',
        tags: ['operations'],
        security: isOpen ? [] : [{ apiKey: [] }],
        response: {
          200: {
            description: 'The metrics',
            content: { 'text/plain': { schema: { type: 'string' } } },
          },
          default: problemSchema,
        },
      },
    },
    async (request, reply) => {
      const { authorization } = request.headers
      if (!isOpen && !hasToken(authorization)) ledger.authenticator.authenticate(authorization, 'verify')
      if (metrics === undefined) {
        throw new LedgerError(
          'metrics_missing',
          'This server cannot tell metrics: install the package prom-client beside it (npm i prom-client), and start it anew.',
        )
      }
      return reply
        .header('cache-control', 'no-store')
        .header('vary', 'Accept-Encoding')
        .type(metrics.contentType)
        .send(await metrics.render())
    },
  )
}
