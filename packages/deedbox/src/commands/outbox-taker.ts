import { httpLedger, type LedgerClient } from '../audit/index.ts'
import { findVariable } from '../safety/index.ts'
import { chestClient, spoolName } from '../tracking/index.ts'
import { openArgument } from './chest-argument.ts'
import { type OutboxGroup, sameLedger } from './outbox-view.ts'
import { UsageError } from './usage-error.ts'

/** Who takes what is replayed. */
export interface Taker {
  /** How messages call it. */
  readonly name: string
  readonly client: LedgerClient
  /** Whether a group is for it. */
  isFor(group: OutboxGroup): boolean
  close(): Promise<void>
}

/**
 * The ledger that takes what the groups hold.
 * @param isChosen whether the ledger was named, so that DEEDBOX_URL has no say
 * @throws UsageError
 */
export function ledgerTaker(
  groups: readonly OutboxGroup[],
  to: string | undefined,
  isChosen: boolean,
): Taker {
  const url = chooseLedger(groups, to, isChosen)
  const apiKey = findVariable(process.env, ['DEEDBOX_API_KEY', 'IMTBL_API_KEY'])?.value
  if (apiKey === undefined) throw new UsageError(`Set DEEDBOX_API_KEY to a key of ${url}.`)
  return {
    name: url,
    client: httpLedger({ url, apiKey }),
    isFor: ({ ledger }) => to !== undefined || sameLedger(ledger, url),
    close: async () => {},
  }
}

/**
 * The chest that takes what was for it; where the group was named, what was for another one: the place may have been moved.
 * @throws UsageError for a URL that names none, and ChestError where its driver is missing
 */
export async function chestTaker(url: string, isChosen: boolean): Promise<Taker> {
  const chest = await openArgument(url)
  return {
    name: chest.id,
    client: chestClient(chest),
    isFor: ({ ledger }) => isChosen || sameLedger(ledger, spoolName(chest)),
    close: () => chest.close(),
  }
}

/** The key of one ledger is shown to no other: what is for several needs a word of the caller's. */
function chooseLedger(groups: readonly OutboxGroup[], to: string | undefined, isChosen: boolean): string {
  const variable = isChosen ? undefined : findVariable(process.env, ['DEEDBOX_URL', 'IMTBL_URL'])
  const url = to ?? variable?.value
  if (url !== undefined) {
    if (/^https?:/.test(url) && URL.canParse(url)) return url
    throw new UsageError(`${to === undefined ? variable?.name : '--to'}: this is no http or https URL.`)
  }
  const ledgers = [...new Set(groups.map(({ ledger }) => ledger))]
  const [only = ''] = ledgers
  if (ledgers.length > 1) {
    throw new UsageError(
      `Events wait for ${ledgers.length} ledgers. Choose one with --ledger, or send all with --to.`,
    )
  }
  if (!/^https?:/.test(only))
    throw new UsageError(`The events are for a ledger "${only}". Name one with --to.`)
  return only
}
