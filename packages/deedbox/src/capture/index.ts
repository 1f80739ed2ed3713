export { type CapturedLog, captureLog, type ParsedLine, parseLine } from './captured-log.ts'
export { fieldSets } from './field-sets.ts'
