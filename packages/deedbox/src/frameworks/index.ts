// Every adapter at once, for the room that tells applications by their shape; services import the one they need.
export { type ExpressMiddleware, observe as observeExpress } from './express.ts'
export { type ObservedFastify, observe as observeFastify } from './fastify.ts'
export { observe as observeHono } from './hono.ts'
export { observe as observeKoa } from './koa.ts'
export { type NestApp, observe as observeNest } from './nest.ts'
export { attachServer, type HttpServer } from './node-http.ts'
