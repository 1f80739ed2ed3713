import type { RedactionOptions } from '../safety/index.ts'
import type { TextTest } from './error-frames.ts'

/** What the worker that reads local variables is started with. */
export interface LocalsWorkerData {
  /** Whether its session is open, for both threads: one of {@link gateStates}. */
  readonly gate: Int32Array
  /** The name of the global symbol under which it finds where to put what it read. */
  readonly handOver: string
  readonly redaction: RedactionOptions
  readonly suppressedPaths: readonly TextTest[]
  readonly perSecond: number
  readonly quietTime: number
}

/** What the worker may have done in the main thread, by way of the debugger. */
export interface LocalsHands {
  /** Puts what was read beside the error, unless something is there; without frames only asks. Whether there was. */
  keep(error: object, json?: string): boolean
  /** What may be handed to the worker of an object's own members. */
  copy(object: object): object
}

/** The states of the session. */
export const gateStates = { starting: 0, connected: 1, closed: 2 } as const

/** What the worker tells the main thread, and may take its time to arrive. */
export type LocalsWorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'notice'; readonly sentence: string }
