export type { VersionObject } from './dockerflow-routes.ts'
export { createLedgerServer, type RequestListener, type ServerOptions } from './server.ts'
