/** One server under load. */
interface Target {
  port: number
  /** The processes whose CPU time counts as the server's, with all their descendants. */
  cpuOf: number[]
}

interface AnyJob extends Target {
  connections: number
  apiKey?: string
}

/** What a load generator is to do: warm the server up, then measure. */
export type LoadJob = AnyJob &
  (
    | { kind: 'batches'; warmBatches: number; batches: number; size: number }
    | { kind: 'events'; warmSeconds: number; seconds: number; payloadBytes: number }
  )

/**
 * GET requests to several servers in turn, a fraction of a second each, again and again: a machine that changes its
 * speed from one second to the next does so for all of them.
 */
export interface TurnsJob {
  kind: 'turns'
  targets: Target[]
  connections: number
  /** For each target, before anything is measured. */
  warmSeconds: number
  /** For each target, all of its turns together. */
  seconds: number
}

/** What it saw while it measured. */
export interface LoadResult {
  requests: number
  seconds: number
  /** Of the server; undefined where the system does not tell. */
  cpuSeconds?: number | undefined
  /** Milliseconds. */
  p50: number
  p99: number
}
