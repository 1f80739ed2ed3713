import type { RequestRecord } from '../request/index.ts'
import { errorMessage, errorName, quote, type Redactor } from '../safety/index.ts'
import { joined, type LogFields } from './fields.ts'
import { levelNumbers } from './levels.ts'
import { endOf, isFailure, type RequestLineOptions, type RequestRenderer, targetOf } from './request-line.ts'
import type { LogWriter } from './writer.ts'

/** What a summary holds beyond the fixed fields. */
export interface RequestSummaryOptions extends RequestLineOptions {
  /** Whether `querystring` is one of the fields. (DF-35) */
  readonly summaryQuery: boolean
}

/** Builds the renderer of one `request.summary` of mozlog per request record. (DF-33 … DF-42) */
export function requestSummaryRenderer(
  writer: LogWriter,
  redactor: Redactor,
  options: RequestSummaryOptions,
): RequestRenderer {
  return (output, record, level, added) => {
    const thrown = isFailure(record) ? record.error : null
    const head = {
      instant: endOf(record),
      level,
      number: levelNumbers[level],
      type: 'request.summary',
      logger: undefined,
      // The text of the exception, and nothing on a normal end. (DF-33, DF-40)
      message: thrown === null ? '' : errorMessage(thrown.thrown),
      source: undefined,
      failure: thrown ?? undefined,
      members: `,"request_id":${quote(record.requestId)}`,
    }
    const fields = joined(summaryOf(record, redactor, options), added ?? {})
    return writer.render(output, head, fields, thrown === null ? undefined : writer.trace(thrown.thrown))
  }
}

/** The standard fields of mozlog. (DF-48) */
function summaryOf(record: RequestRecord, redactor: Redactor, options: RequestSummaryOptions): LogFields {
  const { status, error, client } = record
  return {
    errno: record.late ? 500 : status >= 400 ? status : 0,
    code: status,
    agent: record.userAgent ?? '',
    lang: record.language ?? '',
    method: record.method,
    path: redactor.text(record.path),
    querystring: options.summaryQuery ? decoded(redactor, record) : undefined,
    uid: record.user ?? '',
    t: Math.floor(record.elapsed * 1000),
    remoteAddressChain: client.chain,
    route: record.route ?? undefined,
    trace_id: record.trace?.traceId,
    aborted: record.outcome === 'aborted' ? true : undefined,
    late: record.late ? true : undefined,
    error: isFailure(record) && error !== null ? errorName(error.thrown) : undefined,
  }
}

/** The query as a person reads it, its secrets blanked before it is decoded. (DF-35) */
function decoded(redactor: Redactor, record: RequestRecord): string {
  const target = redactor.url(targetOf(record))
  const question = target.indexOf('?')
  if (question < 0) return ''
  const query = target.slice(question + 1)
  try {
    return decodeURIComponent(query)
  } catch {
    return query
  }
}
