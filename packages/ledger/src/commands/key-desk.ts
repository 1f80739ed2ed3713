import { existsSync } from 'node:fs'
import { type ApiKeyView, newApiKey } from '../access/index.ts'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import type { Ledger } from '../ledger.ts'
import { openLedger } from '../open-ledger.ts'
import { ledgerPlaces } from './data-folder.ts'
import type { KeySettings } from './key-arguments.ts'

/** A new key: what is shown of it from now on, and the text that is shown this once. */
export type NewKey = ApiKeyView & { key: string }

/** Where keys are administered: at a data folder or at a running ledger. Times and spans are milliseconds. */
export interface KeyDesk {
  create(settings: KeySettings): Promise<NewKey>
  list(): Promise<ApiKeyView[]>
  rotate(keyId: string, overlap: number | undefined): Promise<NewKey>
  revoke(keyId: string): Promise<ApiKeyView>
  close(): Promise<void>
}

/**
 * Opens what `--url` or `--data` names, else what `DEEDBOX_URL` names, else the data folder.
 *
 * @param warn told what the operator should know of the folder
 * @throws LedgerError `invalid_usage`, `not_a_ledger`, or why the ledger does not open
 */
export async function openKeyDesk(
  { url, data }: { url?: string | undefined; data?: string | undefined },
  env: NodeJS.ProcessEnv,
  warn: (sentence: string) => void,
): Promise<KeyDesk> {
  if (url !== undefined && data !== undefined) {
    throw new LedgerError('invalid_usage', 'Name the ledger by --url or by --data, not by both.')
  }
  const address = url ?? (data === undefined ? env.DEEDBOX_URL || undefined : undefined)
  return address === undefined ? folderDesk(data, env, warn) : httpDesk(address, env)
}

async function folderDesk(
  data: string | undefined,
  env: NodeJS.ProcessEnv,
  warn: (sentence: string) => void,
): Promise<KeyDesk> {
  const { database, keys } = ledgerPlaces(data, env)
  // Opening would create one, and a key of an empty ledger at a misspelt place helps nobody.
  if (!existsSync(database)) {
    throw new LedgerError(
      'not_a_ledger',
      `There is no ledger at ${database}. Name its folder with --data, or a running ledger with --url.`,
    )
  }
  const ledger = await openLedger(database, { keysFolder: keys, inline: true })
  for (const warning of ledger.about.warnings) warn(warning)
  return {
    async create({ name, scopes, ...settings }) {
      const key = newApiKey()
      const { keyId } = await ledger.createApiKey(key, name, scopes, settings)
      return { ...viewOf(ledger, keyId), key }
    },
    list: async () => ledger.apiKeys(),
    async rotate(id, overlap) {
      const { key, keyId } = await ledger.rotateApiKey(id, overlap === undefined ? {} : { overlap })
      return { ...viewOf(ledger, keyId), key }
    },
    async revoke(keyId) {
      await ledger.revokeApiKey(keyId)
      return viewOf(ledger, keyId)
    },
    close: () => ledger.close(),
  }
}

function viewOf(ledger: Ledger, keyId: string): ApiKeyView {
  const view = ledger.apiKeys().find(view => view.key_id === keyId)
  if (view !== undefined) return view
  throw new LedgerError(
    'unknown_key',
    'Somebody removed the key from the table. Run "deedbox verify --data …".',
  )
}

/** Milliseconds for one call. */
const timeout = 30_000

function httpDesk(address: string, env: NodeJS.ProcessEnv): KeyDesk {
  const apiKey = env.DEEDBOX_API_KEY ?? ''
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new LedgerError(
      'invalid_usage',
      'Set DEEDBOX_API_KEY to a key with the scope admin. On the ledger\'s machine, "deedbox keys create --data …" ' +
        'makes one without any.',
    )
  }
  if (!URL.canParse(address) || !/^https?:/.test(address)) {
    throw new LedgerError('invalid_usage', `"${address}" is no base URL such as https://ledger.example.`)
  }
  const call = (method: string, path: string, body?: object) =>
    callLedger(address.replace(/\/+$/, ''), apiKey, method, path, body)
  return {
    async create({ expiresAt, principal, ...settings }) {
      if (principal !== undefined) {
        throw new LedgerError(
          'invalid_usage',
          '--principal goes with --data: over HTTP nobody chooses who writes.',
        )
      }
      const expires = expiresAt === null ? {} : { expires_at: new Date(expiresAt).toISOString() }
      return newKeyOf(await call('POST', '/v1/keys', { ...settings, ...expires }))
    },
    async list() {
      const { keys } = await call('GET', '/v1/keys')
      return keys as ApiKeyView[]
    },
    async rotate(keyId, overlap) {
      const body = overlap === undefined ? {} : { overlap_seconds: overlap / 1_000 }
      return newKeyOf(await call('POST', `/v1/keys/${encodeURIComponent(keyId)}/rotate`, body))
    },
    async revoke(keyId) {
      const { ok: _ok, ...view } = await call('DELETE', `/v1/keys/${encodeURIComponent(keyId)}`)
      return view as unknown as ApiKeyView
    },
    close: async () => undefined,
  }
}

function newKeyOf({ ok: _ok, ...made }: Record<string, unknown>): NewKey {
  return made as unknown as NewKey
}

/** Redirects are not followed: the key is for this URL only. */
async function callLedger(
  base: string,
  apiKey: string,
  method: string,
  path: string,
  body: object | undefined,
): Promise<Record<string, unknown>> {
  let status: number
  let text: string
  try {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    })
    status = response.status
    text = await response.text()
  } catch (error) {
    const { cause = error } = error as { cause?: unknown }
    const said = cause instanceof Error ? cause.message : String(cause)
    throw new LedgerError('unreachable', `The ledger at ${base} cannot be reached: ${said}.`, {
      cause: error,
    })
  }
  const answer = objectOf(text)
  if (status >= 200 && status < 300 && answer?.ok === true) return answer
  if (typeof answer?.reason === 'string' && typeof answer.message === 'string') {
    throw new LedgerError(
      answer.reason as LedgerErrorCode,
      `The ledger answered ${status}: ${answer.message}`,
    )
  }
  throw new LedgerError('unreachable', `${base} did not answer as a Deedbox ledger does (status ${status}).`)
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
