import {
  attachServer,
  type ExpressMiddleware,
  type HttpServer,
  type NestApp,
  type ObservedFastify,
  observeExpress,
  observeFastify,
  observeHono,
  observeKoa,
  observeNest,
} from '../../frameworks/index.ts'
import type { Deedbox } from '../../instance.ts'
import { ConfigurationError } from '../../safety/index.ts'

/** What an application is, told by its members: no framework is imported to ask for its class. */
export type AppShape = 'express' | 'fastify' | 'koa' | 'hono' | 'nest' | 'server'

/** The members by which each shape is told, the more particular ones first. */
const members: Readonly<Record<AppShape, readonly string[]>> = {
  nest: ['getHttpAdapter', 'getHttpServer'],
  fastify: ['addHook', 'decorate', 'register', 'setErrorHandler'],
  koa: ['use', 'callback', 'createContext'],
  hono: ['use', 'fetch', 'request', 'onError'],
  express: ['use', 'handle', 'route', 'set'],
  server: ['emit', 'listenerCount', 'listen', 'address'],
}

/**
 * What an application is.
 * @throws ConfigurationError for anything else
 */
export function shapeOf(app: unknown): AppShape {
  const isObject = (typeof app === 'object' && app !== null) || typeof app === 'function'
  const shape = isObject
    ? (Object.keys(members) as AppShape[]).find(each =>
        members[each].every(member => typeof Reflect.get(app, member) === 'function'),
      )
    : undefined
  if (shape !== undefined) return shape
  throw new ConfigurationError(
    'app',
    'this is no application that can be attached to. There are: Express, Fastify, Koa, Hono and Nest ' +
      'applications, and servers of node:http.',
  )
}

/** Has an instance observe an application. */
export function attachApp(app: object, shape: AppShape, box: Deedbox): void {
  switch (shape) {
    case 'nest':
      observeNest(box)(app as NestApp)
      break
    case 'fastify':
      // Not by register(), which waits until the application boots: routes may be declared before that.
      observeFastify(box)(app as ObservedFastify, {}, () => undefined)
      break
    case 'koa':
      uses(app, observeKoa(box))
      break
    case 'hono':
      uses(app, observeHono(box))
      break
    case 'express':
      uses(app, observeExpress(box) as ExpressMiddleware)
      break
    case 'server':
      attachServer(app as HttpServer, box)
  }
}

/** Keeps the attached thing where the originals keep it, under their name. (IF-04) */
export function shareAt(app: object, shape: AppShape, attached: object): void {
  const place: unknown =
    shape === 'express'
      ? Reflect.get(app, 'locals')
      : shape === 'koa'
        ? Reflect.get(app, 'context')
        : undefined
  if (shape === 'fastify' && !('immutablelog' in app))
    (app as ObservedFastify).decorate('immutablelog', attached)
  else if (typeof place === 'object' && place !== null && !('immutablelog' in place))
    Reflect.set(place, 'immutablelog', attached)
}

function uses(app: object, middleware: unknown): void {
  const { use } = app as { use(middleware: unknown): unknown }
  use.call(app, middleware)
}
