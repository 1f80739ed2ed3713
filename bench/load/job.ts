interface AnyJob {
  port: number
  connections: number
  apiKey?: string
  /** The processes whose CPU time counts as the server's, with all their descendants. */
  cpuOf: number[]
}

/** What a load generator is to do: warm the server up, then measure. */
export type LoadJob = AnyJob &
  (
    | { kind: 'batches'; warmBatches: number; batches: number; size: number }
    | { kind: 'events'; warmSeconds: number; seconds: number; payloadBytes: number }
    | { kind: 'gets'; warmSeconds: number; seconds: number }
  )

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
