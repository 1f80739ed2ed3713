import type { Deedbox } from 'deedbox'
import { health, observe } from 'deedbox/fastify'
import { type FastifyRequest, fastify } from 'fastify'
import { type FastifyApp, type FastifyOptions, fastifyHarness, inOrder, userOf } from '../fastify.ts'
import type { FrameworkHarness, ServiceOptions } from '../harness.ts'

/** Fastify 4, without error handlers of the service's own. */
export const fastify4: FrameworkHarness = fastifyHarness('Fastify 4', open)

/** An application of Fastify 4, not observed yet. */
export function fastify4App(options: FastifyOptions = {}): FastifyApp {
  return fastify(options) as unknown as FastifyApp
}

async function open(box: Deedbox, options: ServiceOptions): Promise<FastifyApp> {
  const { attach, answers, http2 } = options
  const policy = answers ? 'answer' : 'leave'
  const user = (request: FastifyRequest) => userOf(request)
  const once = observe(box, { unhandled: policy, validation: policy, user })
  const observers = { late: [], once: [once], twice: [once, observe(box)] }[attach]
  const plugins = inOrder(observers, options.health && health(box, options.health.options), options)
  // Two applications, so that the compiler tries the plugin on both of their types.
  if (http2) {
    const app = fastify({ http2: true })
    for (const plugin of plugins) await app.register(plugin)
    return app as unknown as FastifyApp
  }
  const app = fastify()
  for (const plugin of plugins) await app.register(plugin)
  return app as unknown as FastifyApp
}
