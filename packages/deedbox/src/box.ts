import {
  type Acknowledgement,
  type AuditStats,
  createOutlet,
  explicitEvent,
  jobEvent,
  requestEvent,
  SendError,
  type SendOptions,
  type SendPayload,
} from './audit/index.ts'
import { becomeDefault, leaveDefault } from './default-instance.ts'
import { type Internals, internalsKey } from './internals.ts'
import {
  createInstanceLog,
  createLogger,
  jobLineSink,
  type Logger,
  type Notices,
  requestLineSink,
} from './log/index.ts'
import { registerEndOfProcess } from './process-end.ts'
import {
  clientAddressResolver,
  createIdGenerator,
  createLifecycle,
  type Job,
  type JobRecord,
  type RequestRecord,
  type RequestScope,
  runJob,
  scopeOfBox,
  skipTest,
} from './request/index.ts'
import { createRedactor, errorTrace } from './safety/index.ts'
import { type DeedboxOptions, readSettings } from './settings.ts'

/** What an instance did so far. */
export interface DeedboxStats {
  /** Request records made, late ones included. */
  readonly records: number
  /** Log lines handed to the sink, and lines that it lost. */
  readonly lines: { readonly written: number; readonly lost: number }
  readonly audit: AuditStats
}

/** One event of {@link Deedbox.sendAll}. */
export interface SendInput extends SendOptions {
  readonly name: string
  readonly payload: SendPayload
}

/** What became of one event of {@link Deedbox.sendAll}. (IP-09) */
export type SendResult =
  | { readonly ok: true; readonly event: SendInput; readonly acknowledgement: Acknowledgement }
  | { readonly ok: false; readonly event: SendInput; readonly error: SendError }

/** One instance: what a service imports this package for. */
export interface Deedbox {
  readonly service: string
  readonly env: string
  /** The log; inside a request its lines carry the request's id. */
  readonly log: Logger
  /** The id of the request or job that the calling code belongs to. */
  readonly requestId: string | undefined
  /** The request or job that the calling code belongs to, as far as this instance watches it. */
  current(): RequestScope | undefined
  /** Keeps values with the current request, by name. */
  set(values: Readonly<Record<string, unknown>>): void
  /** Reads a value back that {@link set} kept. */
  get(name: string): unknown
  /** Names the audit event of the current request. (IF-16) */
  event(name: string): void
  /**
   * Runs work that is no HTTP request in a scope of its own: log lines carry its id, one line tells its end, and
   * if the work names an event, one is sent. (Ruling 5)
   */
  run<Result>(job: Job, work: () => Result): Result
  /**
   * Sends one event and resolves once the ledger has acknowledged it. (IP-03 … IP-08)
   * @throws SendError
   */
  send(name: string, payload: SendPayload, options?: SendOptions): Promise<Acknowledgement>
  /** Sends many events, in batches; one result per event, in their order. Never rejects. (IP-09) */
  sendAll(events: readonly SendInput[]): Promise<SendResult[]>
  /** Has a function told each request record as it is made. What it throws is logged. Returns how to undo it. */
  onRecord(listener: (record: RequestRecord) => void): () => void
  stats(): DeedboxStats
  /** Resolves to `true` when all events are delivered, to `false` if that takes longer. Default 5,000 ms. */
  flush(timeout?: number): Promise<boolean>
  /**
   * Flushes, then gives up what still waits (counted as dropped) and takes no more events. Log calls still work.
   * Resolves to whether everything was delivered. A ledger opened by the caller stays open.
   */
  close(timeout?: number): Promise<boolean>
}

/** Milliseconds. */
const flushTimeout = 5_000
const sendTimeout = 15_000

/**
 * Makes an instance. Everything that can be wrong with its settings is found here.
 * @throws ConfigurationError naming the option or variable at fault
 */
export function deedbox(options: DeedboxOptions = {}): Deedbox {
  const settings = readSettings(options, process.env)
  const { service, env } = settings
  const redactor = createRedactor(options.redact)
  const identity = {}
  const current = (): RequestScope | undefined => scopeOfBox(identity)
  const { writer, notices, lines, flushSync } = createInstanceLog({
    level: settings.logLevel,
    sink: options.log?.sink ?? 'stderr',
    source: options.log?.source ?? 'always',
    redactor,
    scope: current,
  })
  const outlet = createOutlet(settings.ledger, options.audit ?? {}, writer, notices)
  const events = { service, env, redactor, kind: options.audit?.kind }
  const generateId = createIdGenerator(options.requestId?.generator ?? 'uuid4', () =>
    notices.warn('bad_request_id', 'requestId.generator threw or gave no valid id; a random UUID was used'),
  )
  const listeners = new Set<(record: RequestRecord) => void>()
  let records = 0

  /** A sink that fails must not reach the service or the other sinks. */
  const render = <Fact>(sink: (fact: Fact) => void, fact: Fact): void => {
    try {
      sink(fact)
    } catch (error) {
      notices.warn('sink_failed', 'A request or job record could not be rendered', {
        trace: errorTrace(error),
      })
    }
  }
  const writeRequest = requestLineSink(writer, redactor, options.log ?? {})
  const isAudited = options.audit?.requests ?? true
  const auditRequest = (record: RequestRecord): void => outlet.offer(requestEvent(record, events))
  const emitRequest = (record: RequestRecord): void => {
    records++
    render(writeRequest, record)
    if (!record.skipped && isAudited) render(auditRequest, record)
    for (const listener of listeners) render(listener, record)
  }
  const writeJob = jobLineSink(writer)
  const emitJob = (record: JobRecord): void => {
    render(writeJob, record)
    const { eventName } = record
    if (eventName !== null) render(fact => outlet.offer(jobEvent({ ...fact, eventName }, events)), record)
  }
  const jobs = { box: identity, generateId, emit: emitJob }

  const lifecycle = createLifecycle({
    box: identity,
    generateId,
    inbound: options.requestId?.inbound ?? 'trust',
    echoRequestId: options.requestId?.echo ?? true,
    processedTime: options.processedTime ?? true,
    resolveAddress: clientAddressResolver(settings.trustProxy),
    onIgnoredForwarding: settings.trustProxy === false ? () => warnForwarding(notices) : undefined,
    isSkipped: skipTest(settings.skipPaths),
    eventNames: options.eventNames ?? 'route',
    hashBodies: options.bodyHash ?? true,
    keepBodies: options.includeBody ?? false,
    emit: emitRequest,
  })

  /** The current scope, for calls that mean nothing without one. */
  const needScope = (call: string): RequestScope | undefined => {
    const scope = current()
    if (scope === undefined) {
      notices.warn(
        'no_request',
        `${call}() was called outside a request and did nothing; run() gives jobs a scope`,
      )
    }
    return scope
  }

  const send = async (
    name: string,
    payload: SendPayload,
    how: SendOptions = {},
  ): Promise<Acknowledgement> => {
    const requestId = (): string => current()?.requestId ?? generateId()
    const event = explicitEvent(name, payload, how, { service, env, redactor, requestId })
    return outlet.send(event, how.timeout ?? sendTimeout)
  }

  const unregister = registerEndOfProcess({
    onSignal: options.flushOnSignal ?? true,
    flush: timeout => outlet.flush(timeout),
    flushSync: () => {
      lifecycle.abandonFailed()
      const { queued } = outlet.stats()
      if (queued > 0)
        notices.warn('audit_undelivered', 'The process ends with undelivered audit events', { queued })
      flushSync()
    },
  })

  const box: Deedbox & { readonly [internalsKey]: Internals } = {
    [internalsKey]: { identity, lifecycle, writer },
    service,
    env,
    log: createLogger(() => writer),
    get requestId() {
      return current()?.requestId
    },
    current,
    set: values => needScope('set')?.set(values),
    get: name => current()?.get(name),
    event: name => needScope('event')?.event(name),
    run: (job, work) => runJob(job, work, jobs),
    send,
    sendAll: inputs => Promise.all(inputs.map(event => attempt(event, send))),
    onRecord: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stats: () => ({ records, lines: lines(), audit: outlet.stats() }),
    flush: async (timeout = flushTimeout) => {
      const delivered = await outlet.flush(timeout)
      flushSync()
      return delivered
    },
    close: async (timeout = flushTimeout) => {
      const delivered = await outlet.flush(timeout)
      const left = outlet.close()
      if (left > 0)
        notices.warn('audit_undelivered', 'Closed with undelivered audit events', { dropped: left })
      unregister()
      leaveDefault(box)
      flushSync()
      return delivered && left === 0
    },
  }
  becomeDefault(box)
  return box
}

async function attempt(event: SendInput, send: Deedbox['send']): Promise<SendResult> {
  try {
    return { ok: true, event, acknowledgement: await send(event.name, event.payload, event) }
  } catch (error) {
    if (error instanceof SendError) return { ok: false, event, error }
    throw error
  }
}

function warnForwarding(notices: Notices): void {
  notices.warn(
    'forwarding_ignored',
    "A forwarding header came, but trustProxy is off, so client addresses are the sockets'. " +
      'If a proxy of yours sent it, set trustProxy (DEEDBOX_TRUST_PROXY) to the number of your proxies.',
  )
}
