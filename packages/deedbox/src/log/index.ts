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
export type { LogSink, LossListener, StandardStream } from './sink.ts'
export type {
  FileRetention,
  FileRotation,
  FileSinkOptions,
  RotatedFile,
  RotationFacts,
} from './sinks/file-options.ts'
export { type FileSink, fileSink } from './sinks/file-sink.ts'
export { type FunctionSinkOptions, functionSink } from './sinks/function-sink.ts'
export { standardSink } from './sinks/stream-sink.ts'
