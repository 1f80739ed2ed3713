export { type DataCheck, type DataReport, type Finding, verifyData } from './verify-data.ts'
