import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import type { LedgerRequest, LedgerSummary } from '../further-ledgers.ts'

/** A ledger as the calls answer it. */
type Answer = Omit<LedgerSummary, 'verifierKeys' | 'createdAt'> & {
  verifier_keys: string[]
  created_at: string
}

/**
 * Lists the ledgers of a running server, or creates the one that is asked for and answers that one.
 *
 * @param url the server's base URL; the key is `DEEDBOX_API_KEY`
 * @throws LedgerError `invalid_usage` for no key or URL; what the server refused; `invalid_option` when none answers
 */
export async function remoteLedgers(
  url: string,
  request: LedgerRequest | undefined,
): Promise<LedgerSummary[]> {
  const key = process.env.DEEDBOX_API_KEY
  if (!key) throw new LedgerError('invalid_usage', 'Set DEEDBOX_API_KEY to a key with the scope admin.')
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new LedgerError(
      'invalid_usage',
      `"${url}" is no base URL of a ledger, such as https://ledger.example.com.`,
    )
  }
  const call = `${url.replace(/\/+$/, '')}/v1/ledgers`
  let answer: Response
  try {
    answer = await fetch(call, {
      method: request === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(request === undefined ? {} : { body: JSON.stringify(request) }),
      // The key is for this address only.
      redirect: 'error',
      signal: AbortSignal.timeout(30_000),
    })
  } catch (cause) {
    throw new LedgerError('invalid_option', `No ledger answers at ${call}: ${reasonOf(cause)}`, { cause })
  }
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>
  if (!answer.ok) {
    const { reason = 'internal_error', message = `${call} answered ${answer.status}.` } = body
    throw new LedgerError(reason as LedgerErrorCode, String(message))
  }
  const found = (request === undefined ? body.ledgers : [body]) as Answer[]
  return found.map(({ name, kind, origin, size, verifier_keys, created_at }) => {
    return { name, kind, origin, verifierKeys: verifier_keys, size, createdAt: created_at }
  })
}

function reasonOf(cause: unknown): string {
  const { cause: inner } = cause as { cause?: unknown }
  return String(inner instanceof Error ? inner.message : cause)
}
