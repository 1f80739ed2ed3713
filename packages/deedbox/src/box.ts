import { changes, createAudited, createAuditor, SendError } from './audit/index.ts'
import { createRegistry, registryLogger, SignalListeners } from './checks/index.ts'
import { becomeDefault, leaveDefault } from './default-instance.ts'
import { createErrorTexts } from './error-texts.ts'
import { errorFrames } from './errors/index.ts'
import type { Deedbox, SendInput, SendResult } from './instance.ts'
import { type Internals, internalsKey } from './internals.ts'
import { tellUndelivered, tellUnwritten } from './leftover-notices.ts'
import { createInstanceLog, createLogger, type Notices, sinkChoice } from './log/index.ts'
import type { DeedboxOptions } from './options.ts'
import { registerEndOfProcess } from './process-end.ts'
import { registerProcessErrors } from './process-errors.ts'
import { createRecordSinks } from './record-sinks.ts'
import {
  bindToScope,
  clientAddressResolver,
  createIdGenerator,
  createLifecycle,
  headerName,
  keepTickShape,
  propagationTest,
  type RequestScope,
  registerPropagation,
  runJob,
  runOutside,
  scopeOfBox,
  skipsHealth,
  skipTest,
} from './request/index.ts'
import { createRedactor, createSerializer, errorMessage, errorTrace } from './safety/index.ts'
import { readSettings } from './settings.ts'
import { createTracked, Tracker } from './tracking/index.ts'
import { wholeValues } from './tracking-settings.ts'

/** Milliseconds. */
const flushTimeout = 5_000

/**
 * Makes an instance. Everything that can be wrong with its settings is found here. `deedbox<{ user_id: string }>()` knows
 * the variables that `set`, `get` and `tracked` are about.
 * @throws ConfigurationError naming the option or variable at fault
 */
export function deedbox<Vars extends object = Record<string, unknown>>(
  options: DeedboxOptions<keyof Vars & string> = {},
): Deedbox<Vars> {
  // What this starts is no request's, also when the first instance is made inside one.
  runOutside(keepTickShape)
  const settings = readSettings(options, process.env)
  const { service, env } = settings
  const redactor = createRedactor(options.redact)
  const identity = {}
  const current = (): RequestScope | undefined => scopeOfBox(identity)
  const problems: string[] = []
  const formatFacts = {
    service,
    env,
    offset: options.log?.offset,
    mozlog: options.log?.mozlog,
    ecsKey: options.log?.ecsKey,
    environment: process.env,
    onWarning: (problem: string) => problems.push(problem),
    onFailure: (error: unknown) =>
      notices.warn('format_failed', 'A format of a log sink failed; its lines are flat', {
        trace: errorTrace(error),
      }),
  }
  const { format } = settings.log
  const instanceLog = createInstanceLog({
    scale: settings.log.scale,
    thresholds: settings.log.thresholds,
    sinks: settings.log.sinks.map(setup => ({
      to: setup.to,
      choice: sinkChoice(setup, format, formatFacts),
    })),
    source: settings.log.source,
    redactor,
    scope: current,
    trace: thrown => errorTexts.trace(thrown),
    frames: options.log?.errorFrames === true ? errorFrames : undefined,
  })
  const { writer, notices } = instanceLog
  const errorTexts = createErrorTexts({
    form: settings.log.errors,
    env,
    redactor,
    redaction: options.redact ?? {},
    notify: text => notices.warn('locals', text),
  })
  if (problems.length > 0) notices.warn('log_settings', problems.join(' '))
  const generateId = createIdGenerator(settings.idGenerator, () =>
    notices.warn('bad_request_id', 'requestId.generator threw or gave no valid id; a random UUID was used'),
  )
  const auditor = createAuditor({
    service,
    env,
    redactor,
    ledger: settings.ledger,
    isChosen: options.ledger === null,
    spool: settings.spool,
    verifierKey: settings.verifierKey,
    writer,
    notices,
    scope: current,
    generateId,
    ...settings.audit,
    options: options.audit ?? {},
  })
  const { outlet } = auditor
  const tracker = new Tracker({
    service,
    env,
    ...settings.tracking,
    redactor,
    serializer: createSerializer(redactor, wholeValues),
    notices,
  })
  const { gate } = auditor
  const sinks = createRecordSinks({
    log: options.log,
    summaryQuery: settings.summaryQuery,
    writer,
    redactor,
    notices,
    auditor,
    tracker,
  })
  const jobs = { box: identity, generateId, tracking: tracker, emit: sinks.job }
  const idHeader = headerName(settings.idHeader)

  const lifecycle = createLifecycle({
    box: identity,
    generateId,
    inbound: options.requestId?.inbound ?? 'trust',
    idHeader,
    isSecretId: id => redactor.text(id) !== id,
    echoHeader: (options.requestId?.echo ?? true) ? idHeader : undefined,
    processedTime: options.processedTime ?? true,
    resolveAddress: clientAddressResolver(settings.trustProxy),
    onIgnoredForwarding: settings.trustProxy === false ? () => warnForwarding(notices) : undefined,
    isSkipped: skipTest(settings.skipPaths, options.skipMethods),
    skipsHealth: skipsHealth(settings.skipPaths),
    eventNames: options.eventNames ?? 'route',
    hashBodies: options.bodyHash ?? true,
    keepBodies: options.includeBody ?? false,
    gate,
    tracking: tracker,
    emit: sinks.request,
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

  const send: Deedbox['send'] = (name, payload, how = {}) => auditor.send(name, payload, how)

  const deliver = (timeout: number): Promise<boolean> => {
    sinks.drain()
    return runOutside(async () => {
      const waiting = [outlet.flush(timeout), tracker.flush(timeout), instanceLog.drain(timeout)] as const
      const [delivered, tracked] = await Promise.all(waiting)
      return delivered && tracked
    })
  }

  /** Delivers what waits and, in the time that is left, says the last number. */
  const deliverLast = async (timeout: number, how: 'clean' | 'crashed' = 'clean'): Promise<boolean> => {
    const deadline = performance.now() + timeout
    const delivered = await deliver(timeout)
    await runOutside(() => auditor.end(deadline - performance.now(), how))
    return delivered
  }

  const unregister = registerEndOfProcess({
    onSignal: options.flushOnSignal ?? true,
    flush: timeout => deliverLast(timeout),
    flushLines: () => {
      sinks.drain()
      outlet.persist()
      tracker.persist()
      instanceLog.flush()
    },
    flushSync: () => {
      lifecycle.abandonFailed()
      sinks.drain()
      const dropped = outlet.persist()
      const { queued, spooled } = outlet.stats()
      tellUndelivered(notices, 'The process ends', { dropped, spooled: queued - dropped + spooled })
      tellUnwritten(notices, 'The process ends', tracker.persist())
      instanceLog.flush()
    },
  })

  const unregisterErrors = registerProcessErrors({
    identity,
    policy: options.processErrors ?? 'log',
    writer,
    flush: timeout => deliverLast(timeout, 'crashed'),
  })

  const { propagate = false } = options
  const unregisterPropagation =
    propagate === false
      ? undefined
      : registerPropagation({
          box: identity,
          isWanted: propagationTest(propagate),
          idHeader: settings.idHeader,
        })

  const closing: Internals['closing'] = new Set()
  const signals = new SignalListeners(error =>
    notices.warn('listener_failed', 'A listener of a signal failed', { trace: errorTrace(error) }),
  )
  const log = createLogger(() => writer)
  const box: Deedbox & { readonly [internalsKey]: Internals } = {
    [internalsKey]: { identity, lifecycle, writer, notices, redactor, auditor, tracker, signals, closing },
    service,
    env,
    log,
    logger: name => log.named(name),
    addSink: (to, how = {}) => {
      const remove = instanceLog.addSink(to, sinkChoice({ ...how, to }, format, formatFacts))
      return { remove, [Symbol.asyncDispose]: remove }
    },
    removeSinks: instanceLog.removeSinks,
    get requestId() {
      return current()?.requestId
    },
    current,
    set: values => needScope('set')?.set(values),
    get: (name: string) => current()?.get(name) as never,
    tracked: createTracked(() => needScope('tracked')),
    event: (name, details) => needScope('event')?.event(name, details),
    changes,
    run: (job, work) => runJob(job, work, jobs),
    bind: bindToScope,
    audited: createAudited(() => auditor),
    send,
    receipt: (event, how = {}) => auditor.receipt(event, how),
    sendAll: inputs => Promise.all(inputs.map(event => attempt(event, send))),
    onRecord: listener => {
      sinks.listeners.add(listener)
      return () => sinks.listeners.delete(listener)
    },
    checks: createRegistry(name => log.named(registryLogger).debug(`Registered check ${name}`)),
    on: (signal, listener) => signals.on(signal, listener),
    stats: () => ({
      records: sinks.count,
      lines: instanceLog.lines(),
      audit: outlet.stats(),
      held: gate.stats(),
      producer: auditor.producerStats(),
      chests: tracker.stats(),
    }),
    flush: async (timeout = flushTimeout) => {
      const deadline = performance.now() + timeout
      const delivered = await deliver(timeout)
      await instanceLog.drain(Math.max(0, deadline - performance.now()))
      return delivered
    },
    close: async (timeout = flushTimeout) => {
      const deadline = performance.now() + timeout
      const stopped = Promise.all([...closing].map(stop => stop(timeout)))
      const delivered = await deliverLast(timeout)
      await stopped
      auditor.close()
      const left = outlet.close()
      tellUndelivered(notices, 'Closed', left)
      const unwritten = await tracker.close(deadline - performance.now())
      tellUnwritten(notices, 'Closed', unwritten)
      unregister()
      unregisterErrors()
      unregisterPropagation?.()
      leaveDefault(box)
      await instanceLog.drain(Math.max(0, deadline - performance.now()))
      await errorTexts.close()
      return delivered && left.dropped + left.spooled + unwritten.dropped + unwritten.spooled === 0
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
    // Reading what the caller handed over threw: a getter, a proxy, or nothing where an event should be.
    const problem = `The event cannot be sent: ${errorMessage(error)}`
    return { ok: false, event, error: new SendError('invalid_event', problem) }
  }
}

function warnForwarding(notices: Notices): void {
  notices.warn(
    'forwarding_ignored',
    "A forwarding header came, but trustProxy is off, so client addresses are the sockets'. " +
      'If a proxy of yours sent it, set trustProxy (DEEDBOX_TRUST_PROXY) to the number of your proxies.',
  )
}
