import type { ServerResponse } from 'node:http'
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  type INestApplication,
  Module,
} from '@nestjs/common'
import { HttpAdapterHost, NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import type { Deedbox } from 'deedbox'
import type { HealthOptions } from 'deedbox/health'
import { health } from 'deedbox/nest'

@Controller('cats')
class CatController {
  @Get()
  get(): string {
    return 'cat'
  }
}

@Module({ controllers: [CatController] })
class CatModule {}

@Catch()
class TeapotFilter implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(thrown: Error, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>()
    this.host.httpAdapter.reply(response, `filtered: ${thrown.message}`, 418)
  }
}

/** A service with a global prefix, a guard that lets nobody in, and a filter that answers everything. */
export async function createGuarded(
  platform: 'express' | 'fastify',
  box: Deedbox,
  options: HealthOptions,
): Promise<INestApplication> {
  const settings = { logger: false } as const
  const serve = health(box, options)
  const app: INestApplication =
    platform === 'express'
      ? serve(await NestFactory.create<NestExpressApplication>(CatModule, settings))
      : serve(await NestFactory.create<NestFastifyApplication>(CatModule, new FastifyAdapter(), settings))
  app.setGlobalPrefix('api')
  app.useGlobalGuards({ canActivate: () => false })
  app.useGlobalFilters(new TeapotFilter(app.get(HttpAdapterHost)))
  return app
}
