import type { Finding, Verdict, VerifierKey } from '@deedbox/tlog'
import { UsageError } from './usage-error.ts'

/** What the program lends to a command of the ledger package. */
export interface CommandTools {
  /** A bar on a terminal's standard error, silent elsewhere: how much of `total` is done, and of what. */
  progress(what: string, done: number, total: number): void
  /** Takes the bar away; to be called before anything else is printed. */
  progressEnd(): void
}

/** What the command takes from the ledger package, which a service that only sends events need not install. */
export interface LedgerCommands {
  /** By name: each resolves to its exit code. */
  commands: Readonly<Record<string, (args: string[], tools: CommandTools) => Promise<number>>>
  verifyFolder(options: VerifyOptions & { ledger: string }): Promise<DataReport>
  /** One report per ledger of the file. */
  verifyEveryLedger(options: VerifyOptions): Promise<DataReport[]>
  /** The events of one request, the oldest first. */
  requestEvents(options: {
    folder: string
    requestId: string
    most: number
  }): Promise<Readonly<Record<string, unknown>>[]>
}

interface VerifyOptions {
  folder: string
  pinned: readonly VerifierKey[]
  kept?: string
  resume?: object
  save?: (state: () => object) => void
  signal?: AbortSignal
  onProgress?: (checked: number, size: number) => void
}

/** What re-reading one ledger found. */
export interface DataReport {
  verdict: Verdict
  findings: Finding[]
  found: number
  checked: number
  redacted: number
  ledger: string
  kind: 'events' | 'raw'
  origin: string
  size: number
  checkpoint: string
  newestAt: string | null
  keptSize: number
  notAttested: string[]
  earlier: { from: number; to: number; at: string }[]
  /** There when the ledger was moved to a server; `guardSize`: how far this machine has seen that one go on. */
  moved?: { url: string; at: string; guardSize: number | null }
}

/**
 * Loads the ledger's commands.
 *
 * @throws UsageError that says what to install, when the package is not there
 */
export async function loadLedger(command: string): Promise<LedgerCommands> {
  try {
    // Not a literal: this package is compiled before that one, and bundlers of services must not follow.
    const name: string = '@deedbox/ledger/commands'
    return (await import(name)) as LedgerCommands
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new UsageError(`"deedbox ${command}" needs the ledger package: npm install @deedbox/ledger`)
  }
}
