import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import {
  type DynamicModule,
  type INestApplication,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
} from '@nestjs/common'
import { NestFactory, RouterModule } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { type Deedbox, tracked } from 'deedbox'
import { deedboxProvider, type ObserveNestOptions, observe } from 'deedbox/nest'
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
  useRawRoutes(app, box, stage)
  return app
}

function observed<App extends NestExpressApplication | NestFastifyApplication>(
  app: App,
  box: Deedbox,
  options: AppOptions,
): App {
  const watch = observe(box, options.observe)
  if (options.observers === 0) return app
  return options.observers === 1 ? watch(app) : observe(box, options.observe)(watch(app))
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
