import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import {
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  UnauthorizedException,
} from '@nestjs/common'
import { NestFactory, RouterModule } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { type Deedbox, tracked } from 'deedbox'
import type { HealthOptions } from 'deedbox/health'
import { deedboxProvider, health, type ObserveNestOptions, observe } from 'deedbox/nest'
import { ItemController, type NestStage, StageController } from './stage-controller.ts'
import { type NestTrackedRoute, trackedController } from './tracked-controller.ts'

/** The platforms that Nest has. */
export type Platform = 'express' | 'fastify'

/** The stage, with what only the raw routes call. */
export interface WholeStage extends NestStage {
  inEndListener(): void
  receive(upload: Readable): Promise<number>
  readonly tracked: ReadonlyMap<string, NestTrackedRoute>
}

/** How the suite wants the application. */
export interface AppOptions {
  readonly observers: 0 | 1 | 2
  readonly http2: boolean
  readonly observe: ObserveNestOptions
  readonly health: { readonly options: HealthOptions; readonly first: boolean } | undefined
  /** What the suite's gate answers, by a guard where it asks who it is, else by a middleware. */
  gate(
    headers: IncomingHttpHeaders,
  ): { readonly status: number; readonly headers: Readonly<Record<string, string>> } | undefined
}

@Module({ controllers: [ItemController] })
class ItemModule {}

@Module({ imports: [ItemModule] })
class OrgModule {}

@Module({})
class SuiteModule implements NestModule {
  constructor(@Inject('stage') private readonly stage: WholeStage) {}

  configure(consumer: MiddlewareConsumer): void {
    for (const [name, { input }] of this.stage.tracked)
      consumer.apply(tracked(input)).forRoutes(`tracked/${name}/before`)
  }

  static with(box: Deedbox, stage: WholeStage): DynamicModule {
    return {
      module: SuiteModule,
      imports: [
        OrgModule,
        RouterModule.register([
          { path: 'orgs', module: OrgModule, children: [{ path: ':org/items', module: ItemModule }] },
        ]),
      ],
      controllers: [
        StageController,
        ...[...stage.tracked].map(([name, route]) => trackedController(name, route)),
      ],
      providers: [deedboxProvider(box), { provide: 'stage', useValue: stage }],
    }
  }
}

/** The suite's service, without listening. */
export async function createApp(
  platform: Platform,
  box: Deedbox,
  stage: WholeStage,
  options: AppOptions,
): Promise<INestApplication> {
  const module = SuiteModule.with(box, stage)
  const app =
    platform === 'express'
      ? observed(await NestFactory.create<NestExpressApplication>(module, { logger: false }), box, options)
      : observed(
          await NestFactory.create<NestFastifyApplication>(
            module,
            new FastifyAdapter(options.http2 ? { http2: true as never } : {}),
            { logger: false },
          ),
          box,
          options,
        )
  if (options.health !== undefined) useGate(app, options)
  useRawRoutes(app, box, stage)
  return app
}

function observed<App extends NestExpressApplication | NestFastifyApplication>(
  app: App,
  box: Deedbox,
  options: AppOptions,
): App {
  const serve = options.health && health(box, options.health.options)
  if (options.health?.first) serve?.(app)
  const watch = observe(box, options.observe)
  for (let n = 0; n < options.observers; n++) watch(app)
  if (options.health?.first === false) serve?.(app)
  return app
}

function useGate(app: INestApplication, { gate }: AppOptions): void {
  app.useGlobalGuards({
    canActivate(context: ExecutionContext): boolean {
      if (gate(context.switchToHttp().getRequest().headers)?.status === 401) throw new UnauthorizedException()
      return true
    },
  })
  app.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const answer = gate(request.headers)
    if (answer?.status !== 308) next()
    else response.writeHead(answer.status, answer.headers).end()
  })
}

/** What must have the body itself comes ahead of Nest's parsers. */
function useRawRoutes(app: INestApplication, box: Deedbox, stage: WholeStage): void {
  const answer = (response: ServerResponse, value: object): void => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
  app.use('/unread', (_request: IncomingMessage, response: ServerResponse) => answer(response, { ok: true }))
  app.use('/listen', (request: IncomingMessage, response: ServerResponse) => {
    request.on('data', () => undefined)
    request.on('end', () => {
      stage.inEndListener()
      box.log.info('body read')
      answer(response, { ok: true })
    })
  })
  app.use('/upload', (request: IncomingMessage, response: ServerResponse, next: (error: unknown) => void) => {
    stage.arrived('/upload')
    stage.receive(request).then(length => answer(response, { length }), next)
  })
}
