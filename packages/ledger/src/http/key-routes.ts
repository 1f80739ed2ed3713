import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ApiKeyView, newApiKey, type Scope } from '../access/index.ts'
import type { JsonSchema } from '../events/index.ts'
import type { Ledger } from '../ledger.ts'
import { problemSchema } from './answer-schemas.ts'
import {
  keyAnswerSchema,
  keyListSchema,
  newKeyAnswerSchema,
  newKeySchema,
  readNewKey,
  readRotation,
  rotationSchema,
} from './key-bodies.ts'

const bodyLimit = 16 * 1024

const keyIdParameter: JsonSchema = { type: 'object', properties: { key_id: { type: 'string' } } }

/**
 * `/v1/keys`: who has a key of the file's first ledger with the scope admin creates, lists, rotates and revokes the keys
 * of all its ledgers. Each change is a leaf.
 */
export function keyRoutes(app: FastifyInstance, ledger: Ledger): void {
  // Before the body is read, so that a stranger's costs nothing.
  const onRequest = async (request: FastifyRequest) => {
    request.caller = ledger.authenticator.authenticate(request.headers.authorization, 'admin')
  }
  const schema = (summary: string, answer: Record<number, JsonSchema>, more: object = {}) => ({
    summary,
    tags: ['keys'],
    security: [{ apiKey: [] }],
    ...more,
    response: { ...answer, default: problemSchema },
  })

  app.post<{ Body: Buffer | undefined }>(
    '/v1/keys',
    {
      onRequest,
      bodyLimit,
      schema: schema('Create an API key', { 201: newKeyAnswerSchema }, { body: newKeySchema }),
    },
    async (request, reply) => {
      const { name, scopes, ...settings } = readNewKey(request.body ?? Buffer.alloc(0), Date.now())
      const key = newApiKey()
      const { keyId } = await ledger.createApiKey(key, name as string, scopes as Scope[], {
        ...settings,
        by: request.caller.principal,
      })
      return showOnce(reply, key, viewOf(ledger, keyId))
    },
  )

  app.get('/v1/keys', { onRequest, schema: schema('The API keys', { 200: keyListSchema }) }, async () => {
    return { ok: true, keys: ledger.apiKeys() }
  })

  app.post<{ Params: { key_id: string }; Body: Buffer | undefined }>(
    '/v1/keys/:key_id/rotate',
    {
      onRequest,
      bodyLimit,
      schema: schema(
        'Put a new key into the place of this one',
        { 201: newKeyAnswerSchema },
        {
          description: 'Same principal, name, scopes and length of life. The body may be left out.',
          params: keyIdParameter,
          body: rotationSchema,
        },
      ),
    },
    async (request, reply) => {
      const { key, keyId } = await ledger.rotateApiKey(request.params.key_id, {
        ...readRotation(request.body ?? Buffer.alloc(0)),
        by: request.caller.principal,
      })
      return showOnce(reply, key, viewOf(ledger, keyId))
    },
  )

  app.delete<{ Params: { key_id: string } }>(
    '/v1/keys/:key_id',
    {
      onRequest,
      schema: schema(
        'Revoke an API key',
        { 200: keyAnswerSchema },
        {
          description: 'For good. Every process of the ledger refuses the key within a second.',
          params: keyIdParameter,
        },
      ),
    },
    async request => {
      await ledger.revokeApiKey(request.params.key_id, { by: request.caller.principal })
      return { ok: true, ...viewOf(ledger, request.params.key_id) }
    },
  )
}

function showOnce(reply: FastifyReply, key: string, view: ApiKeyView | undefined): FastifyReply {
  return reply
    .code(201)
    .header('cache-control', 'no-store')
    .send({ ok: true, key, ...view })
}

function viewOf(ledger: Ledger, keyId: string): ApiKeyView | undefined {
  return ledger.apiKeys().find(view => view.key_id === keyId)
}
