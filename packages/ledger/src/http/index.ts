export { quietPaths, type VersionObject } from './dockerflow-routes.ts'
export type { MetricsAccess } from './metrics-route.ts'
export { httpStatus, problemOf } from './problem.ts'
export { createLedgerServer, type ServerOptions } from './server.ts'
