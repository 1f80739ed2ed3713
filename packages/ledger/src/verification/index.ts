export type { Finding } from './findings.ts'
export { type DataCheck, type DataReport, verifyData } from './verify-data.ts'
