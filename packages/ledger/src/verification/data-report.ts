import type { Verdict, VerifierKey } from '@deedbox/tlog'
import { attestation, type LedgerRow } from '../store/index.ts'
import type { Finding, Findings } from './findings.ts'
import type { VerificationState } from './progress-state.ts'

/** What re-reading a whole ledger found. */
export interface DataReport {
  verdict: Verdict
  /** The first findings, in the order in which they were met; empty when all is well. */
  findings: Finding[]
  /** How many findings there were in all. */
  found: number
  /** Events whose every part and column was checked. */
  checked: number
  /** Events of which a part is gone because a later leaf records its erasure; the rest of them was checked. */
  redacted: number
  /** The ledger's name in its file. */
  ledger: string
  /** `raw`: what follows is about entries as they came, which have no parts and no columns. */
  kind: LedgerRow['kind']
  origin: string
  size: number
  /**
   * The time in the last leaf that was read, ISO 8601 in UTC; null without one. Of a raw ledger: the time beside it,
   * which is not in the leaf and which nothing vouches for.
   */
  newestAt: string | null
  /** The newest signed checkpoint as it is stored, to be kept; empty if there is none. */
  checkpoint: string
  /** Size of the largest checkpoint from outside the database that the ledger extends; 0: there was none. */
  keptSize: number
  /** The columns that nothing vouches for, as `table.column`: whoever can write the file can change them. */
  notAttested: string[]
  /** What was read in earlier runs and not again: entries `[from, to)`, until `at` (ISO 8601 in UTC). */
  earlier: { from: number; to: number; at: string }[]
}

/** What to check against. */
export interface DataCheck {
  /** The verifier keys that the caller brought along; empty: the ledger's own are used, and `ok` is `ok_unpinned`. */
  pinned: readonly VerifierKey[]
  /** A checkpoint that the caller kept: the ledger has to extend it. */
  kept?: string
  /** The note in this machine's rollback guard: the same. Read it before the call, or a writer may be ahead. */
  guard?: string
  /** Where an earlier run ended. */
  resume?: VerificationState
  onProgress?: (checked: number, size: number) => void
}

/** Puts the report together; the worst finding decides. */
export function dataReport(
  ledger: LedgerRow,
  isPinned: boolean,
  findings: Findings,
  read: Pick<DataReport, 'checked' | 'redacted' | 'size' | 'checkpoint' | 'keptSize' | 'earlier'> & {
    lastAt: number
  },
): DataReport {
  const { lastAt, ...numbers } = read
  const { worst, first, count } = findings
  return {
    verdict: worst?.verdict ?? soundVerdict(read, isPinned),
    findings: first,
    found: count,
    ...numbers,
    ledger: ledger.name,
    kind: ledger.kind,
    origin: ledger.origin,
    newestAt: lastAt === 0 ? null : new Date(lastAt).toISOString(),
    notAttested: [...notAttested(), ...(ledger.kind === 'raw' ? ['events.at', 'heads.at'] : [])],
  }
}

/** Of two reservations the one about the key comes first: without a pinned key nothing is plainly well. */
function soundVerdict(
  { checked, redacted }: { checked: number; redacted: number },
  isPinned: boolean,
): Verdict {
  if (checked + redacted === 0) return 'nothing_checked'
  if (!isPinned) return 'ok_unpinned'
  return redacted > 0 ? 'redacted_ok' : 'ok'
}

function notAttested(): string[] {
  return Object.entries(attestation).flatMap(([table, columns]) =>
    Object.entries(columns)
      .filter(([, voucher]) => voucher === 'not attested')
      .map(([column]) => `${table}.${column}`),
  )
}
