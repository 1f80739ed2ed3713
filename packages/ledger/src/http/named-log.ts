import type { Scope } from '../access/index.ts'
import { LedgerError } from '../errors.ts'
import type { Ledger } from '../ledger.ts'
import type { TiledLog } from '../tiled-log.ts'

/**
 * The log that a path names, for a caller whose key is of that ledger. A stranger is refused before he learns which
 * names there are.
 *
 * @param scope what the key has to have; undefined: everybody may read
 * @throws LedgerError `missing_api_key`, `invalid_api_key`, `insufficient_scope`, `unknown_ledger`
 */
export function namedLog(
  ledger: Ledger,
  request: { params: unknown; headers: { authorization?: string } },
  scope: Scope | undefined,
): TiledLog {
  const log = ledger.logOf((request.params as { name: string }).name)
  if (scope !== undefined) {
    ledger.authenticator.authenticate(request.headers.authorization, scope, log?.about.ledgerId)
  }
  if (log === undefined) throw new LedgerError('unknown_ledger', 'There is no ledger of this name here.')
  return log
}
