import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type ArgumentsHost,
  Body,
  type CallHandler,
  type CanActivate,
  Catch,
  ConflictException,
  Controller,
  type DynamicModule,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpCode,
  type INestApplication,
  Inject,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  type NestMiddleware,
  Param,
  type PipeTransform,
  Post,
  Res,
  Scope,
  ServiceUnavailableException,
  Sse,
  UseFilters,
  UseGuards,
  UseInterceptors,
  ValidationPipe,
  VersioningType,
} from '@nestjs/common'
import { HttpAdapterHost, NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { IsInt } from 'class-validator'
import { type Deedbox, log } from 'deedbox'
import { deedboxProvider, type ObserveNestOptions, observe } from 'deedbox/nest'
import { concat, map, type Observable, of, throwError, timer } from 'rxjs'

class Refused extends Error {}

@Catch(Refused)
class RefusedFilter implements ExceptionFilter {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  catch(_refused: Refused, host: ArgumentsHost): void {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { own: true }, 418)
  }
}

class SigningIn implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    context.switchToHttp().getRequest().user = { id: 'u_7' }
    log.info('in guard')
    return true
  }
}

class RefusingGuard implements CanActivate {
  canActivate(): boolean {
    throw new Refused('refused by a guard')
  }
}

class LoggingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    log.info('before handler')
    return next.handle().pipe(
      map(value => {
        log.info('after handler')
        return value
      }),
    )
  }
}

class LoggingPipe implements PipeTransform {
  transform(value: unknown): unknown {
    log.info('in pipe')
    return value
  }
}

@Injectable()
class LoggingMiddleware implements NestMiddleware {
  use(request: IncomingMessage, _response: ServerResponse, next: () => void): void {
    log.info('in middleware')
    if (request.headers['x-stop'] !== undefined) throw new Error('failure in middleware')
    next()
  }
}

class Order {
  @IsInt()
  amount!: number
}

@Controller({ path: 'cats', version: '2' })
class CatController {
  constructor(@Inject('deedbox') private readonly box: Deedbox) {}

  @Get('refused')
  @UseGuards(RefusingGuard)
  @UseFilters(RefusedFilter)
  refused(): void {}

  @Get('conflict')
  conflict(): void {
    throw new ConflictException('taken')
  }

  @Get('unavailable')
  unavailable(): void {
    throw new ServiceUnavailableException()
  }

  @Get('broken')
  broken(): void {
    throw new Error('broken cat')
  }

  @Get('cut')
  async cut(
    @Res() response: ServerResponse & { readonly raw?: ServerResponse; hijack?(): unknown },
  ): Promise<void> {
    response.hijack?.()
    ;(response.raw ?? response).write('first')
    await new Promise(setImmediate)
    throw new Error('cut cat')
  }

  @Sse('events')
  events(): Observable<{ data: string }> {
    return concat(
      of({ data: 'first' }),
      timer(20).pipe(map(() => ({ data: 'second' }))),
      throwError(() => new Error('broken events')),
    )
  }

  @Post('orders')
  @HttpCode(200)
  order(@Body(new ValidationPipe()) order: Order): object {
    return { amount: order.amount }
  }

  @Get(':id')
  @UseGuards(SigningIn)
  @UseInterceptors(LoggingInterceptor)
  get(@Param('id', LoggingPipe) id: string): Observable<object> {
    this.box.log.info('in handler')
    return timer(1).pipe(
      map(() => {
        log.info('in stream')
        return { id }
      }),
    )
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController {
  @Get()
  broken(): void {
    throw new Error('broken for one request')
  }
}

@Module({})
class TourModule {
  static with(box: Deedbox): DynamicModule {
    return {
      module: TourModule,
      controllers: [CatController, ScopedController],
      providers: [deedboxProvider(box), RefusedFilter],
    }
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(LoggingMiddleware).forRoutes(CatController)
  }
}

/** A service with a global prefix, versions in its paths, filters and middleware of its own. */
export async function createTour(
  platform: 'express' | 'fastify',
  box: Deedbox,
  options: ObserveNestOptions,
  prints: boolean,
): Promise<INestApplication> {
  const module = TourModule.with(box)
  const logger = prints ? (['error', 'warn'] as const) : (false as const)
  const settings = { logger: logger === false ? logger : [...logger] }
  const app: INestApplication =
    platform === 'express'
      ? observe(box, options)(await NestFactory.create<NestExpressApplication>(module, settings))
      : observe(
          box,
          options,
        )(await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), settings))
  app.setGlobalPrefix('api')
  app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' })
  return app
}
