export { isInsideSink, withinSink } from './inside-sink.ts'
export { createInstanceLog } from './instance-log.ts'
export { type LogLevel, readLevel } from './levels.ts'
export { flatLine } from './line.ts'
export {
  createLogger,
  type LogCall,
  type LogFields,
  type Logger,
  LogWriter,
  type SourceMode,
} from './logger.ts'
export { mozlogLine } from './mozlog.ts'
export { Notices } from './notices.ts'
export { endOf, jobLineSink, type RequestLineOptions, requestLineSink } from './request-line.ts'
export { requestSummarySink } from './request-summary.ts'
export { type LogSink, type StandardStream, standardSink } from './sink.ts'
