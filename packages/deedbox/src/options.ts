import type { DeliveryOptions, EventKind, InstanceMode, LedgerClient } from './audit/index.ts'
import type {
  FormatDetails,
  LogFormat,
  OwnLevels,
  RequestLineOptions,
  SinkSetup,
  SinkTarget,
  SourceMode,
} from './log/index.ts'
import type { ProcessErrors } from './process-errors.ts'
import type {
  AuditMode,
  IdGenerator,
  InboundIdPolicy,
  Propagation,
  RequestRecord,
  SkipPath,
  TrustProxy,
} from './request/index.ts'
import type { RedactionOptions } from './safety/index.ts'
import type { Chest, TrackedVariables } from './tracking/index.ts'

/** A ledger to send to: over HTTP by its base URL and a key, or one opened in this process. */
export type LedgerOption =
  | {
      readonly url?: string | undefined
      readonly apiKey?: string | undefined
      /** `false` posts each event on its own, to a ledger that is known to have no batch call. Default `true`. */
      readonly batches?: boolean | undefined
    }
  | LedgerClient
  | Promise<LedgerClient>

/** How the log is written. */
export interface LogOptions extends RequestLineOptions, FormatDetails {
  /**
   * The least severe level that log calls write. Default `DEEDBOX_LOG_LEVEL`, `LOG_LEVEL`, else INFO, in development
   * and testing DEBUG. (FA-30)
   */
  readonly level?: string | undefined
  /**
   * Levels of named loggers, which stand for all names below them too: `{ db: 'WARNING', 'db.query': 'DEBUG' }`. Our
   * own lines have names as well: `request.summary`, `job.summary`, `audit`, `process`, `deedbox`. Over
   * `DEEDBOX_LOG_LEVELS`, which reads `db=WARNING,db.query=DEBUG`. (FA-50, ruling 12)
   */
  readonly levels?: Readonly<Record<string, string>> | undefined
  /** Levels of the service's own, with numbers from 1 to 100: `{ NOTICE: 27 }`; see `Logger.log`. (FA-04) */
  readonly ownLevels?: OwnLevels | undefined
  /**
   * Where lines go: a stream of the process, a function, or anything that takes lines. Default `DEEDBOX_LOG_SINK`, else
   * `stderr`, in the `mozlog` format `stdout`. (FA-09, DF-51)
   */
  readonly sink?: SinkTarget | undefined
  /** Several sinks, each with a format, level and filter of its own where it needs them. In place of `sink`. (FA-46) */
  readonly sinks?: readonly (SinkTarget | SinkSetup)[] | undefined
  /**
   * How lines look: `flat`, everything at top level; `mozlog`, the envelope of Mozilla's logs, with requests as
   * `request.summary`; `ecs`, the Elastic Common Schema; `otel`, OpenTelemetry's OTLP/JSON; `loguru`, the envelope of
   * Python's Loguru; `pretty`, for people, which is `flat` in testing and production; or a function that renders a
   * line. Default `DEEDBOX_LOG_FORMAT`, else `flat`, in development `pretty` on a stream of the process. (FA-02, FA-11,
   * FA-54, DF-33, DF-44, rulings 12 and 13)
   */
  readonly format?: LogFormat | undefined
  /** In `mozlog`, whether a summary holds the query. Default `DOCKERFLOW_SUMMARY_LOG_QUERYSTRING`, else `false`. (DF-35) */
  readonly summaryQuery?: boolean | undefined
  /**
   * The text of `exception`: `trace`, the stack and its causes; or `annotated`, each frame with the lines of source
   * around it. Default `DEEDBOX_LOG_ERRORS`, else `trace`, in development `annotated`. (FA-27, FA-37)
   */
  readonly errors?: 'trace' | 'annotated' | undefined
  /** Whether lines with an `exception` also have its frames, as a list under `exception_frames`. Default `false`. (FA-27) */
  readonly errorFrames?: boolean | undefined
  /** On which log calls the place in the source is found out. Default `DEEDBOX_LOG_SOURCE`, else `always`. (Ruling 11) */
  readonly source?: SourceMode | undefined
}

/** How request ids come about. (Rulings 6 and 7) */
export interface RequestIdOptions {
  /** Default `base64url-N` if `REQUEST_ID_LENGTH` says N bytes, else `uuid4`. (FA-13) */
  readonly generator?: IdGenerator | undefined
  /** What becomes of an id that the client sent. Default `trust`. */
  readonly inbound?: InboundIdPolicy | undefined
  /** Whether responses carry the id. Default `true`. */
  readonly echo?: boolean | undefined
  /**
   * The header that carries the id in requests and responses. Default `DEEDBOX_REQUEST_ID_HEADER`,
   * `DOCKERFLOW_REQUEST_ID_HEADER_NAME`, else `X-Request-Id`. (DF-37)
   */
  readonly header?: string | undefined
}

/** Where events wait on disk. */
export interface SpoolOptions {
  /** Default `DEEDBOX_SPOOL`, else `deedbox/spool` in the user's state folder. */
  readonly folder?: string | undefined
  /** The most that each process may take: bytes, or a text like `256 MB`. Default `DEEDBOX_SPOOL_SIZE`, else 256 MiB. */
  readonly size?: number | string | undefined
}

/** How automatic audit events are made and how all are delivered. */
export interface AuditOptions extends DeliveryOptions {
  /**
   * What events that wait for the ledger survive: `spool`, the death of the process, being in a file within 10 ms;
   * `fsync`, a power cut as well; `memory`, neither. Default `spool`. (IF-37, ruling 23)
   */
  readonly durability?: 'spool' | 'fsync' | 'memory' | undefined
  readonly spool?: SpoolOptions | undefined
  /** Whether requests become audit events of their own. Default `true`; what `send` and jobs name is always sent. */
  readonly requests?: boolean | undefined
  /** Overrides the kind of a request's event, for example to make 429 a `warning`. (IF-19) */
  readonly kind?: (record: RequestRecord) => EventKind | undefined
  /**
   * Whether events carry the number that this process gave them, and the ledger is told of this process each minute:
   * so it sees what never came. Default `true`. A ledger that knows no producers is told once.
   */
  readonly producer?: boolean | undefined
  /**
   * The ledger's verifier key, got from somewhere else than the ledger: receipts are checked by it. Default
   * `DEEDBOX_VERIFIER_KEY`.
   */
  readonly verifierKey?: string | undefined
  /** Milliseconds for one call to a ledger over HTTP. Default 5,000. (IF-32) */
  readonly timeout?: number | undefined
  /**
   * What responses wait for: `open`, nothing; `buffer`, that their event survives the death of this process; `closed`, that
   * the ledger has acknowledged it, without which the client gets 503. `dryRun` makes all events and sends none; `off`
   * makes none. Default `DEEDBOX_AUDIT_MODE`, else `open`.
   */
  readonly mode?: InstanceMode | undefined
  /**
   * Modes of single routes, by method and template, or by template for all methods:
   * `{ 'POST /transfers/:id': 'closed', '/metrics': 'off' }`. Where the route is not known, the path is held against
   * the templates. They do not count where the instance is `off`.
   */
  readonly modes?: Readonly<Record<string, AuditMode>> | undefined
  /** Milliseconds that a response waits at most in the modes `buffer` and `closed`. Default 5,000. */
  readonly holdTimeout?: number | undefined
}

/**
 * What `deedbox()` takes. Everything has a default; options win over variables. `Name` is that of a variable which is
 * tracked.
 */
export interface DeedboxOptions<Name extends string = string> {
  /** Name of the service. Default `DEEDBOX_SERVICE`, `IMTBL_SERVICE_NAME`, else `node-service`. */
  readonly service?: string | undefined
  /** Name of the environment. Default `DEEDBOX_ENV`, `IMTBL_ENV`, `ENV`, `NODE_ENV`, else `production`. */
  readonly env?: string | undefined
  /**
   * Where audit events go. Default: `DEEDBOX_URL` and `DEEDBOX_API_KEY` (also `IMTBL_URL`, `IMTBL_API_KEY`);
   * without them, or with `null`, events become log lines. (Ruling 1)
   */
  readonly ledger?: LedgerOption | null | undefined
  /**
   * Paths that leave no audit event, and a line only if they fail; `[]` records all. Default: health endpoints, those of
   * `health()` wherever it serves them. (IF-07, X-10, DF-42)
   */
  readonly skipPaths?: readonly SkipPath[] | undefined
  /** Methods that are not recorded, for example `['OPTIONS']`. Default none. (IF-17) */
  readonly skipMethods?: readonly string[] | undefined
  /** Whose forwarding headers are believed. Default `DEEDBOX_TRUST_PROXY`, else `false`. (Ruling 8) */
  readonly trustProxy?: TrustProxy | undefined
  readonly requestId?: RequestIdOptions | undefined
  /**
   * Which outgoing requests, of `fetch` and of `node:http`, carry the id of the request that they are made for, and
   * its W3C trace if it came with one. Default `false`: others need not know them.
   */
  readonly propagate?: Propagation | undefined
  /** Whether responses carry `X-Processed-Time`, in seconds. Default `true`. (FA-22) */
  readonly processedTime?: boolean | undefined
  /** Whether default event names hold the route's template or the concrete path. Default `route`. (IF-16) */
  readonly eventNames?: 'route' | 'path' | undefined
  readonly redact?: RedactionOptions | undefined
  readonly log?: LogOptions | undefined
  readonly audit?: AuditOptions | undefined
  /** Where the variables that `set` keeps are written when their request is over; see `deedbox/chests`. Default none. */
  readonly chests?: readonly Chest[] | undefined
  /**
   * Which variables of requests whose route has no `tracked()` of its own are written: names, or names by method. Default:
   * all that are set; `[]` for none. (FC-03, FC-04)
   */
  readonly tracked?: TrackedVariables<Name> | undefined
  /** Whether request bodies are hashed as they pass. Default `true`. (Ruling 17) */
  readonly bodyHash?: boolean | undefined
  /** Whether events of failed requests carry a body under 2,000 bytes, redacted. Default `false`. (IF-22, X-14) */
  readonly includeBody?: boolean | undefined
  /** What becomes of uncaught errors, unhandled rejections and warnings of the process. Default `log`. (FA-26) */
  readonly processErrors?: ProcessErrors | undefined
  /**
   * Whether SIGTERM and SIGINT flush first, in a process that has no handler of its own for them; the process
   * still ends by the signal. Default `true`.
   */
  readonly flushOnSignal?: boolean | undefined
}
