export { type CapturedLog, captureLog, type ParsedLine, parseLine } from '../capture/index.ts'
