export type { VersionObject } from './dockerflow-routes.ts'
export { httpStatus, problemOf, toldMessage } from './problem.ts'
export { createLedgerServer, type RequestListener, type ServerOptions } from './server.ts'
