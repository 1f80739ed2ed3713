import type { Auditor } from './audit/index.ts'
import {
  jobLineSink,
  type LogWriter,
  type Notices,
  requestLineRenderer,
  requestLineSink,
  requestSummaryRenderer,
} from './log/index.ts'
import type { DeedboxOptions } from './options.ts'
import {
  type JobRecord,
  type LifecycleSettings,
  type RequestRecord,
  type RuleInUse,
  TurnQueue,
} from './request/index.ts'
import { errorTrace, type Redactor } from './safety/index.ts'
import type { Tracker } from './tracking/index.ts'

/** What the records of one instance are made into. */
export interface RecordSinkSettings {
  readonly log: DeedboxOptions['log']
  /** Whether a summary of mozlog has the query. (DF-35) */
  readonly summaryQuery: boolean
  readonly writer: LogWriter
  readonly redactor: Redactor
  readonly notices: Notices
  readonly auditor: Auditor
  readonly tracker: Tracker
}

/** Takes the records of one instance's requests and jobs, once each. Nothing here throws. */
export interface RecordSinks {
  readonly request: LifecycleSettings['emit']
  job(record: JobRecord, rules: readonly RuleInUse[] | undefined): void
  /** Whoever else is told of each request's record; what they throw is a notice. */
  readonly listeners: Set<(record: RequestRecord) => unknown>
  /** How many requests there were. */
  readonly count: number
  /** Makes the events at once of records that wait for the end of the turn. */
  drain(): void
}

/** Renders each record as a line, as an audit event and as tracked variables. A sink that fails reaches no other. */
export function createRecordSinks(settings: RecordSinkSettings): RecordSinks {
  const { writer, redactor, notices, auditor, tracker } = settings
  const log = settings.log ?? {}
  const { gate, isAudited } = auditor
  const listeners = new Set<(record: RequestRecord) => unknown>()
  let count = 0

  const sinkFailed = (error: unknown): void =>
    notices.warn('sink_failed', 'A request or job record could not be rendered', { trace: errorTrace(error) })
  const render = <Fact>(sink: (fact: Fact) => unknown, fact: Fact): void => {
    try {
      const result = sink(fact)
      if (result instanceof Promise) result.catch(sinkFailed)
    } catch (error) {
      sinkFailed(error)
    }
  }

  const writeRequest = requestLineSink(writer, redactor, log, {
    line: requestLineRenderer(writer, redactor),
    summary: requestSummaryRenderer(writer, redactor, { ...log, summaryQuery: settings.summaryQuery }),
  })
  const writeJob = jobLineSink(writer)
  const toAudit = new TurnQueue<RequestRecord>(waiting => {
    for (const record of waiting) render(auditor.request, record)
  })

  return {
    request: (record, request, response, audited, rules) => {
      count++
      try {
        writeRequest(record, request, response)
      } catch (error) {
        sinkFailed(error)
      }
      if (!record.skipped && isAudited) {
        const wanted = audited === undefined && gate.modeOf?.(record) !== 'off' ? record : audited
        if (wanted) toAudit.add(wanted)
      }
      if (!record.late && !record.skipped) tracker.finished(record, rules)
      if (listeners.size > 0) for (const listener of listeners) render(listener, record)
    },
    job: (record, rules) => {
      render(writeJob, record)
      render(auditor.job, record)
      tracker.finished(record, rules)
    },
    listeners,
    get count() {
      return count
    },
    drain: () => toAudit.drain(),
  }
}
