export { type Listening, listen } from './listen.ts'
export type { ListenOptions } from './listen-options.ts'
export type {
  FastifyLikeApp,
  HandlerApp,
  KoaApp,
  ListenApp,
  NestLikeApp,
  RequestHandler,
  WebServer,
} from './served-app.ts'
