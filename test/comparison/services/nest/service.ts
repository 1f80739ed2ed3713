import 'reflect-metadata'
import { Readable } from 'node:stream'
import {
  Controller,
  type DynamicModule,
  Get,
  type INestApplication,
  Module,
  Post,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Request, Response } from 'express'
import { clientLeaves, failure, halfAnAnswer, serve } from '../service.ts'

class Things {
  ok() {
    return { ok: true }
  }
  fail() {
    throw new Error(failure)
  }
  async leave(response: Response) {
    await clientLeaves(response)
    return { ok: true }
  }
  json(request: Request) {
    return request.body
  }
  stream(response: Response) {
    return new StreamableFile(Readable.from(halfAnAnswer(response)), { type: 'text/plain' })
  }
}

// Decorators cannot be erased, so they are called as the functions that they are.
const routes = {
  ok: Get('ok'),
  fail: Get('throw'),
  leave: Get('leave'),
  json: Post('json'),
  stream: Get('stream'),
}
for (const [name, route] of Object.entries(routes)) {
  route(Things.prototype, name, Object.getOwnPropertyDescriptor(Things.prototype, name)!)
}
for (const name of ['leave', 'stream']) Res({ passthrough: true })(Things.prototype, name, 0)
Req()(Things.prototype, 'json', 0)
Controller()(Things)

/** Serves on Nest 12 with its Express platform; `use` is what `main.ts` does with the application. */
export async function serveNest(
  logger: DynamicModule | undefined,
  use: (app: INestApplication) => unknown,
  end?: () => Promise<unknown>,
): Promise<void> {
  class App {}
  Module({ imports: logger === undefined ? [] : [logger], controllers: [Things] })(App)
  const app = await NestFactory.create(
    App,
    logger === undefined ? { logger: ['error', 'warn'] } : { bufferLogs: true },
  )
  use(app)
  await app.listen(0, '127.0.0.1')
  await serve(app.getHttpServer(), end)
}
