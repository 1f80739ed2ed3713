import { execFile } from 'node:child_process'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Deedbox } from 'deedbox'
import { attachServer } from 'deedbox/http'
import type { ObserveNestOptions } from 'deedbox/nest'
import { gate } from './gate.ts'
import type { FrameworkAnswers, FrameworkHarness, ServiceOptions, Stage } from './harness.ts'

const here = import.meta.dirname
const compiler = resolve(here, '../../node_modules/typescript/bin/tsc')

/** Majors of Nest, by the folder that has their packages. */
export type NestMajor = 11 | 12

const compilations = new Map<NestMajor, Promise<void>>()

/**
 * Compiles the services in `nest-app` against one major, once: decorators are not erasable, so Node cannot run
 * them as they are.
 * @returns the URL of a compiled file
 */
export async function compiledNest(major: NestMajor, file: string): Promise<string> {
  let compilation = compilations.get(major)
  if (compilation === undefined) {
    compilation = compile(major)
    compilations.set(major, compilation)
  }
  await compilation
  return pathToFileURL(resolve(here, `nest-${major}/dist/${file}.js`)).href
}

async function compile(major: NestMajor): Promise<void> {
  const project = resolve(here, `nest-${major}`)
  await promisify(execFile)(process.execPath, [compiler, '-p', project]).catch(
    (failed: { stdout?: string }) => {
      throw new Error(`nest-app does not compile against Nest ${major}:\n${failed.stdout ?? ''}`)
    },
  )
}

/** What of `nest-app/main.ts` the harness calls, which this file cannot import: it has decorators. */
interface CompiledMain {
  createApp(
    platform: 'express' | 'fastify',
    box: Deedbox,
    stage: Stage,
    options: {
      observers: 0 | 1 | 2
      http2: boolean
      observe: ObserveNestOptions
      health: ServiceOptions['health']
      gate: typeof gate
    },
  ): Promise<{ listen(port: number, host: string): Promise<Server>; close(): Promise<void> }>
}

/** Of both majors on both platforms: Nest answers itself. */
const answers: FrameworkAnswers = {
  methodNotAllowed: 404,
  options: 404,
  invalidUrl: 400,
  malformedJson: { status: 400, hasError: true },
  invalidBody: 400,
}

/** One major of Nest on one platform. */
export function nestHarness(major: NestMajor, platform: 'express' | 'fastify'): FrameworkHarness {
  return {
    name: `Nest ${major} on ${platform === 'express' ? 'Express' : 'Fastify'}`,
    knowsRoutes: true,
    http2: platform === 'fastify',
    answers,
    trackedForms: ['before', 'around'],
    async start(box, stage, options) {
      const url = await compiledNest(major, 'main')
      const { createApp } = (await import(url)) as CompiledMain
      const app = await createApp(platform, box, stage, {
        observers: options.attach === 'late' ? 0 : options.attach === 'twice' ? 2 : 1,
        http2: options.http2,
        health: options.health,
        gate,
        observe: {
          user: request => single(request.headers['x-user']),
          ...(options.answers ? { unhandled: 'answer', validation: 'answer' } : {}),
        },
      })
      const server = await app.listen(0, '127.0.0.1')
      // Nest keeps the connection of server-sent events alive even when the client asked for its end.
      Object.assign(server, { keepAliveTimeout: 1, keepAliveTimeoutBuffer: 1 })
      if (options.attach === 'late') attachServer(server, box)
      return {
        port: (server.address() as AddressInfo).port,
        server,
        async stop() {
          server.closeAllConnections?.()
          await app.close()
        },
      }
    },
  }
}

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header

interface CompiledTour {
  createTour(
    platform: 'express' | 'fastify',
    box: Deedbox,
    options: ObserveNestOptions,
    prints: boolean,
  ): Promise<{
    listen(port: number, host: string): Promise<Server>
    close(): Promise<void>
    getHttpAdapter(): { getInstance(): { deedbox?: unknown; locals?: { deedbox?: unknown } } }
  }>
}

/** What a client got: status, content type and body; a body that was cut off has its error's message. */
export type TourAnswer = readonly [status: number, type: string | null, body: string]

/** Asks the tour's service one thing. */
export type AskTour = (
  method: string,
  path: string,
  more?: { readonly body?: string; readonly headers?: Record<string, string> },
) => Promise<TourAnswer>

/** Runs the service of `nest-app/tour.ts` for as long as the asking takes. */
export async function requestTour<Result>(
  tour: string,
  platform: 'express' | 'fastify',
  box: Deedbox,
  options: ObserveNestOptions,
  prints: boolean,
  asking: (ask: AskTour, instance: unknown) => Promise<Result>,
): Promise<Result> {
  const { createTour } = (await import(tour)) as CompiledTour
  const app = await createTour(platform, box, options, prints)
  const server = await app.listen(0, '127.0.0.1')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const instance = app.getHttpAdapter().getInstance()
  const ask: AskTour = async (method, path, { body, headers } = {}) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...type, ...headers },
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.text().catch((error: unknown) => String(error))
    return [response.status, response.headers.get('content-type'), text]
  }
  try {
    return await asking(ask, instance.deedbox ?? instance.locals?.deedbox)
  } finally {
    server.closeAllConnections()
    await app.close()
  }
}
