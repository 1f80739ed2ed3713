export { callingFile } from './call-site.ts'
export type { CatchingOptions } from './catching.ts'
export {
  formatNames,
  type LogFormat,
  type SinkOptions,
  type SinkSetup,
  setupOf,
  sinkChoice,
} from './choices.ts'
export { withContext } from './context-fields.ts'
export { customLine, type LineFormatter, type LogLine } from './custom-line.ts'
export type { LogFields } from './fields.ts'
export { compileFilter, type LineFacts, type LineFilter } from './filters.ts'
export type { FormatDetails } from './formats.ts'
export { isInsideSink, rememberHanded, wasHanded, withinSink } from './inside-sink.ts'
export {
  createInstanceLog,
  type InstanceLog,
  type LineFunction,
  type SinkChoice,
  type SinkTarget,
} from './instance-log.ts'
export { LevelScale, type LogLevel, levelNumbers, type OwnLevels } from './levels.ts'
export { flatLine } from './line.ts'
export { createLogger, type LogCall, type Logger } from './logger.ts'
export type { MozlogOptions } from './mozlog.ts'
export { Notices } from './notices.ts'
export {
  choosePalette,
  choosePretty,
  isPretty,
  type Palette,
  palettes,
  prettyLine,
  prettyObject,
  terminalOf,
} from './pretty/index.ts'
export {
  endOf,
  jobLineSink,
  type RequestLineOptions,
  requestLineRenderer,
  requestLineSink,
} from './request-line.ts'
export { requestSummaryRenderer } from './request-summary.ts'
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
export { Thresholds } from './thresholds.ts'
export { LogWriter, type PatchedLine, type SourceMode } from './writer.ts'
