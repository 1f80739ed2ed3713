/** A framework as a consumer installs it, with the smallest service of it in plain JavaScript. */
export interface ConsumerService {
  readonly name: string
  /** The workspace of `test/frameworks` whose versions are meant. */
  readonly workspace: string
  /** What is installed beside our package. */
  readonly packages: readonly string[]
  /** What of the frameworks that we know is then there. */
  readonly frameworks: readonly string[]
  /** What is imported, besides `deedbox`: what stands between `import` and `from`, and where from. */
  readonly imports: Readonly<Record<string, string>>
  /** Makes `server`, which listens on a free port. */
  readonly body: string
}

const koaBody = `
  const app = new Koa()
  app.use(observe(box))
  app.use(ctx => { ctx.body = { ok: true } })
  const server = createServer(app.callback()).listen(0)`

const expressBody = `
  const app = express()
  app.use(observe(box))
  app.get('/', (request, response) => { response.json({ ok: true }) })
  const server = app.listen(0)`

const fastifyBody = `
  const app = fastify()
  await app.register(observe(box))
  app.get('/', async () => ({ ok: true }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { server } = app`

const honoBody = `
  const app = new Hono()
  app.use(observe(box))
  app.get('/', c => c.json({ ok: true }))
  const server = serve({ fetch: app.fetch, port: 0 })`

// What decorators do is what they are: functions. Plain JavaScript calls them.
const nestBody = `
  class Greeter { greet() { return { ok: true } } }
  Get()(Greeter.prototype, 'greet', Object.getOwnPropertyDescriptor(Greeter.prototype, 'greet'))
  Controller()(Greeter)
  class AppModule {}
  Module({ controllers: [Greeter] })(AppModule)
  const app = observe(box)(await NestFactory.create(AppModule, { logger: false }))
  const server = await app.listen(0)`

const httpBody = `
  const server = createServer(observe(box)((request, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end('{"ok":true}')
  })).listen(0)`

/** The services, each major of each framework once. */
export const consumerServices: readonly ConsumerService[] = [
  {
    name: 'node:http',
    workspace: '',
    packages: [],
    frameworks: [],
    imports: { '{ createServer }': 'node:http', '{ observe }': 'deedbox/http' },
    body: httpBody,
  },
  ...[5, 4].map(major => ({
    name: `Express ${major}`,
    workspace: `express-${major}`,
    packages: ['express'],
    frameworks: ['express'],
    imports: { express: 'express', '{ observe }': 'deedbox/express' },
    body: expressBody,
  })),
  ...[5, 4].map(major => ({
    name: `Fastify ${major}`,
    workspace: `fastify-${major}`,
    packages: ['fastify'],
    frameworks: ['fastify'],
    imports: { '{ fastify }': 'fastify', '{ observe }': 'deedbox/fastify' },
    body: fastifyBody,
  })),
  ...[3, 2].map(major => ({
    name: `Koa ${major}`,
    workspace: `koa-${major}`,
    packages: ['koa'],
    frameworks: ['koa'],
    imports: { '{ createServer }': 'node:http', Koa: 'koa', '{ observe }': 'deedbox/koa' },
    body: koaBody,
  })),
  {
    name: 'Hono 4',
    workspace: 'hono-4',
    packages: ['hono', '@hono/node-server'],
    frameworks: ['hono'],
    imports: { '{ serve }': '@hono/node-server', '{ Hono }': 'hono', '{ observe }': 'deedbox/hono' },
    body: honoBody,
  },
  ...[12, 11].map(major => ({
    name: `Nest ${major} on Express`,
    workspace: `nest-${major}`,
    packages: ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'reflect-metadata', 'rxjs'],
    frameworks: ['@nestjs/core', 'express'],
    imports: {
      '{ Controller, Get, Module }': '@nestjs/common',
      '{ NestFactory }': '@nestjs/core',
      '{ observe }': 'deedbox/nest',
    },
    body: nestBody,
  })),
]

/** One call to the service, and its end: it ends by itself once nothing is left to do. */
const play = `
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address()
  const response = await fetch('http://127.0.0.1:' + port + '/', { headers: { connection: 'close' } })
  console.log(response.status, await response.text())
  server.close()
  await once(server, 'close')
  await box.close()
`

const instance = `
  const box = deedbox({ service: 'consumer', ledger: null, audit: { requests: false } })`

/** The service as an ES module. */
export function asModule({ imports, body }: ConsumerService): string {
  const all = { '{ once }': 'node:events', '{ deedbox }': 'deedbox', ...imports }
  const lines = Object.entries(all).map(([names, from]) => `import ${names} from '${from}'`)
  return `${lines.join('\n')}\n${instance}${body}${play}`
}

/** The service as a CommonJS file. */
export function asCommonJs({ imports, body }: ConsumerService): string {
  const all = { '{ once }': 'node:events', '{ deedbox }': 'deedbox', ...imports }
  const lines = Object.entries(all).map(([names, from]) => `const ${names} = require('${from}')`)
  return `${lines.join('\n')}\nasync function main() {${instance}${body}${play}}\nmain()\n`
}
