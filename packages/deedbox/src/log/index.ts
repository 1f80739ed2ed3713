export { createInstanceLog } from './instance-log.ts'
export { type LogLevel, readLevel } from './levels.ts'
export {
  createLogger,
  type LogCall,
  type LogFields,
  type Logger,
  LogWriter,
  type SourceMode,
} from './logger.ts'
export { Notices } from './notices.ts'
export { endOf, jobLineSink, type RequestLineOptions, requestLineSink } from './request-line.ts'
export { type LogSink, type StandardStream, standardSink } from './sink.ts'
