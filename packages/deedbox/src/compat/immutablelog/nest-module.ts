import { attachServer, type HttpServer } from '../../frameworks/index.ts'
import type { Deedbox } from '../../instance.ts'
import { internalsOf } from '../../internals.ts'
import { scopeOfBox } from '../../request/index.ts'
import { originalBox } from './original-box.ts'
import { readService, type ServiceOptions } from './original-options.ts'

/** What Nest takes among the `imports` of a module. */
export interface NestDynamicModule {
  readonly module: new () => object
  readonly providers: { readonly provide: string; readonly useValue: object }[]
  readonly exports: string[]
  readonly global: true
}

/** What Nest hands to `configure` and what of it is needed. */
interface MiddlewareConsumer {
  getHttpAdapter(): { getHttpServer(): HttpServer }
}

/** What Nest hands to an interceptor, and what of it is needed. */
interface ExecutionContext {
  getHandler(): object
  getClass(): object
}

/** What of an observable of RxJS is needed. */
interface Observable {
  subscribe(observer: Observer): unknown
}

interface Observer {
  next(value: unknown): void
  error(thrown: unknown): void
  complete(): void
}

/** Nest's token for interceptors of the whole application. */
const everywhere = 'APP_INTERCEPTOR'

/** The metadata by which the original's decorators name the event of a handler or controller. (IF-16) */
const eventNameKey = 'imtbl:eventName'

/**
 * Nest: `imports: [ImmutableLogModule.forRoot({ apiKey, apiUrl, serviceName })]`, on Express or Fastify. It records all
 * that the server takes in, with the errors of handlers, pipes and inner interceptors; those of guards and middleware
 * have their status alone. A text of `skipPaths` also skips what is below it. `@SetMetadata('imtbl:eventName', 'card.charge')` names the event of a handler, or of all of
 * a controller. The instance is provided under the token `deedbox`, and is closed with the application. (IP-01)
 */
export const ImmutableLogModule: {
  /** @throws ConfigurationError naming the option or variable at fault */
  forRoot(options?: ServiceOptions): NestDynamicModule
} = {
  forRoot(options = {}) {
    const { box } = originalBox(
      readService(options, 'ImmutableLogModule.forRoot()'),
      'nestjs-service',
      exactOrBelow,
    )
    return {
      module: class ImmutableLogModule {
        /** Called by Nest before the routes are declared. */
        configure(consumer: MiddlewareConsumer): void {
          attachServer(consumer.getHttpAdapter().getHttpServer(), box)
        }

        async onApplicationShutdown(): Promise<void> {
          await box.close()
        }
      },
      providers: [
        { provide: 'deedbox', useValue: box },
        { provide: everywhere, useValue: interceptor(box) },
      ],
      exports: ['deedbox'],
      global: true,
    }
  },
}

/** The original's module, unlike the other ones, also skips what is below a path. (IF-07) */
function exactOrBelow(path: string): RegExp {
  return new RegExp(`^${path.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}(?:/|$)`)
}

/** What Nest asks ahead of each handler: it names the event, and hears of the handler's error. */
function interceptor(box: Deedbox): object {
  const { identity } = internalsOf(box)
  return {
    intercept(context: ExecutionContext, next: { handle(): Observable }): Observable {
      const scope = scopeOfBox(identity)
      const handled = next.handle()
      if (scope === undefined) return handled
      const name = metadataOf(context.getHandler()) ?? metadataOf(context.getClass())
      if (name !== undefined) scope.event(name)
      // As RxJS itself makes one from another; to import it would bring it to those who do not use Nest.
      const Same = handled.constructor as new (subscribe: (observer: Observer) => unknown) => Observable
      return new Same(observer =>
        handled.subscribe({
          next: value => observer.next(value),
          error: thrown => {
            scope.fail(thrown)
            observer.error(thrown)
          },
          complete: () => observer.complete(),
        }),
      )
    },
  }
}

/** Nest brings `Reflect.getMetadata`. */
function metadataOf(target: object): string | undefined {
  const { getMetadata } = Reflect as { getMetadata?(key: string, target: object): unknown }
  const name = getMetadata?.(eventNameKey, target)
  return typeof name === 'string' ? name : undefined
}
