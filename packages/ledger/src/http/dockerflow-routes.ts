import type { Deedbox } from 'deedbox'
import { createHealth, type HealthRequest } from 'deedbox/health'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Ledger } from '../ledger.ts'
import { ledgerChecks } from './ledger-checks.ts'

/** What `/__version__` answers (Dockerflow's version object). */
export interface VersionObject {
  source: string
  version: string
  commit: string
  build: string
}

/** What a ledger's operational endpoints are made of. */
export interface OperationalParts {
  readonly box: Deedbox
  readonly version: VersionObject
  /** Where the database is. */
  readonly folder: string
}

const summaries: Readonly<Record<string, string>> = {
  '/__version__': 'Which build this is',
  '/__lbheartbeat__': 'Whether this process answers at all: for liveness probes',
  '/__heartbeat__': 'Whether the ledger can do its work, and what an operator should know: for people',
  '/__readiness__': 'Whether the ledger can do its work: for readiness probes and load balancers',
}

/** Asked every few seconds by machines: they leave a line only when they fail. */
export const quietPaths: readonly string[] = [
  '/metrics',
  ...Object.keys(summaries).flatMap(path => [path, `${path}/`]),
]

/**
 * The ledger's own Dockerflow endpoints, those of the SDK: GET, HEAD and OPTIONS, never cached. What checks found is
 * for those who may verify, the yes or no for everybody. (DF-01 … DF-13)
 */
export function dockerflowRoutes(app: FastifyInstance, ledger: Ledger, parts: OperationalParts): void {
  const { box, version, folder } = parts
  const endpoints = createHealth(box, {
    checks: ledgerChecks(ledger, folder),
    // It sends no events and keeps no variables: its own parts are the checks above.
    ownChecks: false,
    details: 'authorised',
    authorise: request => mayVerify(ledger, request),
    version: () => version,
  })
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { method, url, headers } = request
    const {
      status,
      headers: own,
      body,
    } = await endpoints.answer({
      method,
      url,
      authorization: headers.authorization,
    })
    return reply.code(status).headers(own).send(body)
  }
  for (const [url, summary] of Object.entries(summaries)) {
    const schema = { summary, tags: ['operations'] }
    app.route({ method: ['GET', 'HEAD'], url, schema, handler: answer })
    app.route({ method: 'OPTIONS', url, schema: { hide: true }, handler: answer })
    // With a slash at its end it is the same.
    app.route({ method: ['GET', 'HEAD', 'OPTIONS'], url: `${url}/`, schema: { hide: true }, handler: answer })
  }
}

/** Details name files and causes: they are for those who may verify, not for everybody who can reach the port. */
function mayVerify(ledger: Ledger, { authorization }: Pick<HealthRequest, 'authorization'>): boolean {
  try {
    ledger.authenticator.authenticate(authorization, 'verify')
    return true
  } catch {
    return false
  }
}
