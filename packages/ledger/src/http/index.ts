export type { VersionObject } from './dockerflow-routes.ts'
export { httpStatus, problemOf } from './problem.ts'
export { createLedgerServer, type RequestListener, type ServerOptions } from './server.ts'
