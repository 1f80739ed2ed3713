import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Ledger } from '../ledger.ts'

/** What `/__version__` answers (Dockerflow's version object). */
export interface VersionObject {
  source: string
  version: string
  commit: string
  build: string
}

interface CheckMessage {
  level: number
  id: string
  message: string
}

const error = 40
const warning = 30
const levelNames = new Map([
  [0, 'ok'],
  [warning, 'warning'],
  [error, 'error'],
])

/** The ledger's own Dockerflow endpoints: GET and HEAD, never cached, no API key needed for the yes-or-no part. */
export function dockerflowRoutes(app: FastifyInstance, ledger: Ledger, version: VersionObject): void {
  const schema = (summary: string) => ({ summary, tags: ['operations'] })

  app.get('/__version__', { schema: schema('Which build this is') }, async (_request, reply) => {
    return reply.header('cache-control', 'no-store').send(version)
  })

  app.get(
    '/__lbheartbeat__',
    { schema: schema('Whether this process answers at all') },
    async (_request, reply) => {
      return reply.header('cache-control', 'no-store').type('text/plain; charset=utf-8').send('')
    },
  )

  app.get(
    '/__heartbeat__',
    { schema: schema('Whether the ledger can do its work') },
    async (request, reply) => {
      const found = {
        database: databaseCheck(ledger),
        writer: writerCheck(ledger),
        guard: guardCheck(ledger),
      }
      const levels = Object.values(found).map(messages =>
        Math.max(0, ...messages.map(message => message.level)),
      )
      const worst = Math.max(...levels)
      const checks: Record<string, string> = {}
      const details: Record<string, unknown> = {}
      for (const [i, [name, messages]] of Object.entries(found).entries()) {
        checks[name] = levelNames.get(levels[i]!) ?? 'unknown'
        if (messages.length > 0) {
          const byId = Object.fromEntries(messages.map(message => [message.id, message.message]))
          details[name] = { status: checks[name], level: levels[i], messages: byId }
        }
      }
      return reply
        .code(worst >= error ? 500 : 200)
        .header('cache-control', 'no-store')
        .send({
          status: levelNames.get(worst),
          checks,
          ...(maySeeDetails(request, ledger) ? { details } : {}),
        })
    },
  )
}

function databaseCheck(ledger: Ledger): CheckMessage[] {
  try {
    ledger.head()
    return []
  } catch (cause) {
    return [
      { level: error, id: 'deedbox.ledger.E001', message: `The database cannot be read: ${String(cause)}` },
    ]
  }
}

function writerCheck(ledger: Ledger): CheckMessage[] {
  const failure = ledger.failure
  return failure === undefined
    ? []
    : [{ level: error, id: 'deedbox.ledger.E002', message: `The last write failed: ${failure.message}` }]
}

function guardCheck(ledger: Ledger): CheckMessage[] {
  return ledger.warnings.map((message, i) => ({
    level: warning,
    id: `deedbox.ledger.W00${i + 1}`,
    message,
  }))
}

/** Details name files and causes: they are for those who may verify, not for everybody who can reach the port. */
function maySeeDetails(request: FastifyRequest, ledger: Ledger): boolean {
  try {
    ledger.authenticator.authenticate(request.headers.authorization, 'verify')
    return true
  } catch {
    return false
  }
}
