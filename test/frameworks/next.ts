import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { health, observe } from 'deedbox/next'
import type { FrameworkHarness, Stage } from './harness.ts'
import { listening } from './listening.ts'
import { buildNextApp, type NextMajor } from './next-build.ts'

/** What the fixture's routes and its instrumentation.ts look for. */
const suite = globalThis as { deedboxSuite?: { stage?: Stage } }

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Next's API for custom servers, in both majors. */
interface NextApp {
  prepare(): Promise<void>
  getRequestHandler(): Handler
}

/**
 * Next, built once, in the test's own process behind servers of ours, because the suite's instance and stage live
 * here. `instrumentation.ts` is registered once in a process; what its `register()` calls is called for each scene.
 */
export function nextHarness(major: NextMajor): FrameworkHarness {
  let handling: Promise<Handler> | undefined
  return {
    name: `Next ${major}`,
    knowsRoutes: true,
    template: template => template.replace(/:(\w+)/g, '[$1]'),
    http2: false,
    answersInPlace: false,
    answers: {
      methodNotAllowed: 405,
      options: 204,
      invalidUrl: 400,
      malformedJson: { status: 400, hasError: false },
      invalidBody: 400,
    },
    trackedForms: ['around'],
    async start(box, stage, options) {
      suite.deedboxSuite = { stage }
      handling ??= prepare(major)
      const handler = await handling
      const server = createServer((request, response) => void handler(request, response))
      const user = ({ headers }: IncomingMessage): string | undefined => headers['x-user']?.toString()
      const observers = { once: 1, twice: 2, late: 0 }[options.attach]
      const endpoints = options.health === undefined ? [] : [options.health]
      const serve = (): (() => void)[] => endpoints.map(each => health(box, each.options, { server }))
      const watch = (): (() => void)[] =>
        Array.from({ length: observers }, () => observe(box, { server, user }))
      const undo = (options.health?.first ? [serve, watch] : [watch, serve]).flatMap(each => each())
      const service = await listening(server, box, options)
      return {
        ...service,
        async stop() {
          await service.stop()
          for (const each of undo) each()
        },
      }
    },
  }
}

async function prepare(major: NextMajor): Promise<Handler> {
  const { folder } = await buildNextApp(major)
  // Next chooses by it which of its own files it loads, and React too.
  Reflect.set(process.env, 'NODE_ENV', 'production')
  const createNext: (options: object) => NextApp = createRequire(join(folder, 'package.json'))('next')
  const app = createNext({ dev: false, dir: folder, quiet: true })
  await app.prepare()
  return app.getRequestHandler()
}
