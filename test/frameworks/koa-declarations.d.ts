// What the harnesses use of Koa, of its router and of its body parser, which come without types.

declare module 'koa' {
  import type { EventEmitter } from 'node:events'
  import type { IncomingMessage, ServerResponse } from 'node:http'

  class Koa extends EventEmitter {
    silent: boolean
    readonly context: object
    use(middleware: Koa.Middleware): this
    callback(): (request: unknown, response: unknown) => Promise<void>
  }
  namespace Koa {
    type Middleware = (ctx: Context, next: () => Promise<void>) => unknown
    interface Context {
      readonly app: Koa
      readonly req: IncomingMessage
      readonly res: ServerResponse
      readonly request: { readonly body?: unknown }
      readonly params: Readonly<Record<string, string>>
      readonly deedbox: import('deedbox').Deedbox
      // As much of it as the guide uses; `@types/koa` takes any member here.
      readonly state: { user?: { readonly id: string } }
      path: string
      status: number
      type: string
      body: unknown
      respond?: boolean
      readonly headers: import('node:http').IncomingHttpHeaders
      get(header: string): string
      set(headers: Record<string, string>): void
      redirect(url: string): void
      throw(status: number, message?: string): never
    }
  }
  export default Koa
}

declare module '@koa/router' {
  type Middleware = import('koa').default.Middleware

  class Router {
    constructor(options?: { prefix?: string })
    get(path: string | RegExp, ...middleware: Middleware[]): this
    post(path: string | RegExp, ...middleware: Middleware[]): this
    put(path: string | RegExp, ...middleware: Middleware[]): this
    use(...middleware: (string | Middleware)[]): this
    routes(): Middleware
    allowedMethods(): Middleware
  }
  export default Router
}

declare module 'koa-bodyparser' {
  type Middleware = import('koa').default.Middleware

  export default function bodyParser(): Middleware
}
