import { Readable } from 'node:stream'
import {
  Body,
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  HttpCode,
  Inject,
  type MessageEvent,
  type NestInterceptor,
  Param,
  ParseIntPipe,
  Post,
  Redirect,
  Res,
  Sse,
  StreamableFile,
  UseGuards,
  UseInterceptors,
  ValidationPipe,
} from '@nestjs/common'
import { IsInt } from 'class-validator'
import type { Deedbox } from 'deedbox'
import { from, map, type Observable } from 'rxjs'

/** What of the suite's stage the routes call; the real one is in a file that is not compiled with these. */
export interface NestStage {
  arrived(path: string): void
  readonly mayAnswer: Promise<void>
  readonly mayFailLate: Promise<void>
  wander(n: number): Promise<void>
  hostileError(): Error
}

/** The one body that is validated. */
class Validated {
  @IsInt()
  a!: number
}

class FailingGuard implements CanActivate {
  canActivate(): boolean {
    throw new Error('failure before')
  }
}

class FailingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      map(() => {
        throw new Error('failure after')
      }),
    )
  }
}

const turn = (): Promise<void> => new Promise(setImmediate)

/** The routes of the suite's table that stand on the root. */
@Controller()
export class StageController {
  constructor(
    @Inject('deedbox') private readonly box: Deedbox,
    @Inject('stage') private readonly stage: NestStage,
  ) {}

  @Get(['ok', 'health'])
  ok(): object {
    return { ok: true }
  }

  @Get('empty')
  @HttpCode(204)
  empty(): void {}

  @Get('throw')
  throws(): void {
    throw new Error('sync failure')
  }

  @Get('healthz')
  sick(): void {
    throw new Error('sick')
  }

  @Get('throw-text')
  throwsText(): void {
    throw 'not an Error'
  }

  @Get('reject')
  async rejects(): Promise<void> {
    await turn()
    throw new Error('async failure')
  }

  @Get('before')
  @UseGuards(FailingGuard)
  before(): object {
    return { ok: true }
  }

  @Get('after')
  @UseInterceptors(FailingInterceptor)
  after(): object {
    return { ok: true }
  }

  @Get('hostile')
  hostile(): void {
    throw this.stage.hostileError()
  }

  @Get('hang')
  hang(): Promise<never> {
    this.stage.arrived('/hang')
    return new Promise(() => undefined)
  }

  @Get('slow')
  async slow(): Promise<object> {
    this.stage.arrived('/slow')
    await this.stage.mayAnswer
    return { ok: true }
  }

  @Get('late')
  async late(@Res() response: { status(code: number): { send(body: object): unknown } }): Promise<void> {
    response.status(200).send({ ok: true })
    await this.stage.mayFailLate
    throw new Error('late failure')
  }

  @Get('stream')
  stream(): StreamableFile {
    const body = new Readable({ read: () => undefined })
    body.push('first')
    this.stage.arrived('/stream')
    return new StreamableFile(body, { type: 'text/plain' })
  }

  @Get('broken-stream')
  brokenStream(): StreamableFile {
    return new StreamableFile(
      Readable.from(
        (async function* () {
          yield 'first'
          await turn()
          throw new Error('stream failure')
        })(),
      ),
      { type: 'text/plain' },
    )
  }

  @Get('piped')
  piped(): StreamableFile {
    return new StreamableFile(Readable.from(Array.from({ length: 16 }, () => Buffer.alloc(65_536, 'x'))))
  }

  @Sse('sse')
  events(): Observable<MessageEvent> {
    return from(
      (async function* () {
        for (const data of [1, 2, 3]) {
          yield { data: String(data) }
          await turn()
        }
      })(),
    )
  }

  @Post('json')
  @HttpCode(200)
  json(@Body() body: unknown): unknown {
    return body
  }

  @Post('validated')
  @HttpCode(200)
  validated(@Body(new ValidationPipe()) body: Validated): object {
    return { a: body.a }
  }

  @Get('redirect')
  @Redirect('/ok', 302)
  redirect(): void {}

  @Get('named/:n')
  async named(@Param('n', ParseIntPipe) n: number): Promise<object> {
    this.box.event(`named.${n}`)
    this.box.set({ n })
    await turn()
    this.box.log.info(`in ${n}`)
    return { n: this.box.get('n') }
  }

  @Get('wander/:n')
  async wander(@Param('n', ParseIntPipe) n: number): Promise<object> {
    await this.stage.wander(n)
    return { ok: true }
  }
}

/** The innermost of the nested routers: `/orgs/:org/items/:item`. */
@Controller()
export class ItemController {
  @Get(':item')
  item(): object {
    return { ok: true }
  }
}
