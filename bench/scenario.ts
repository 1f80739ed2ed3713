import type { GeneratedLedger } from './generated-ledger.ts'
import type { NoPostgres, Postgres } from './peers/postgres.ts'
import type { Line } from './report.ts'
import type { Workshop } from './workshop.ts'

/** How much of everything is measured. */
export interface Scale {
  rounds: number
  /** Seconds that timed load is measured for, and warmed up for before. */
  seconds: number
  warmSeconds: number
  /** Seconds that request logs are left alone for: enough for V8 to collect all garbage by itself. */
  quietSeconds: number
  /** Batches of 1,000 that are measured, and sent before. */
  batches: number
  warmBatches: number
  /** Events of the small and of the large generated ledger. */
  smallLedger: number
  largeLedger: number
  /** Events that a growth round appends to each. */
  growthEvents: number
  /** Receipts and searches of each kind that are timed. */
  reads: number
}

/** What a scenario works with. */
export interface Bench {
  workshop: Workshop
  scale: Scale
  /** The PostgreSQL to compare with, or why there is none. Made when it is first asked for. */
  postgres(): Promise<Postgres | NoPostgres>
  /** The generated ledgers, once somebody has asked for them. */
  generated: { small: Promise<GeneratedLedger>; large: Promise<GeneratedLedger> } | undefined
  /** Where generated ledgers are kept between runs; undefined: they go with the run. */
  keep: string | undefined
  /** Says what is being done, for the person who waits. */
  say(text: string): void
  /** Settings that were read back, by whose they are; they stand below the table. */
  settings: Map<string, Record<string, unknown>>
}

/** One scenario: measures and resolves to the lines of the table. */
export type Scenario = (bench: Bench) => Promise<Line[]>
