export type { DataReport, Finding } from '../verification/index.ts'
export { serve, serveHelp } from './serve.ts'
export { type VerifyFolderOptions, verifyFolder } from './verify-folder.ts'
