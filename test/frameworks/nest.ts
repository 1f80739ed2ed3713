import { execFile } from 'node:child_process'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Deedbox } from 'deedbox'
import { attachServer } from 'deedbox/http'
import type { ObserveNestOptions } from 'deedbox/nest'
import type { FrameworkAnswers, FrameworkHarness, Stage } from './harness.ts'

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
    options: { observers: 0 | 1 | 2; http2: boolean; observe: ObserveNestOptions },
  ): Promise<{ listen(port: number, host: string): Promise<Server>; close(): Promise<void> }>
}

/** One major of Nest on one platform. */
export function nestHarness(
  major: NestMajor,
  platform: 'express' | 'fastify',
  answers: FrameworkAnswers,
): FrameworkHarness {
  return {
    name: `Nest ${major} on ${platform === 'express' ? 'Express' : 'Fastify'}`,
    knowsRoutes: true,
    http2: platform === 'fastify',
    answers,
    async start(box, stage, options) {
      const url = await compiledNest(major, 'main')
      const { createApp } = (await import(url)) as CompiledMain
      const app = await createApp(platform, box, stage, {
        observers: options.attach === 'late' ? 0 : options.attach === 'twice' ? 2 : 1,
        http2: options.http2,
        observe: options.answers ? { unhandled: 'answer', validation: 'answer' } : {},
      })
      const server = await app.listen(0, '127.0.0.1')
      if (options.attach === 'late') attachServer(server, box)
      return {
        port: (server.address() as AddressInfo).port,
        async stop() {
          server.closeAllConnections?.()
          await app.close()
        },
      }
    },
  }
}
