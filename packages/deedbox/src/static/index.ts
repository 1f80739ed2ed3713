export type { StaticMiddleware } from './static-files.ts'
export { staticFiles } from './static-files.ts'
export type { StaticOptions } from './static-options.ts'
