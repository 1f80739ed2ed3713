import Router from '@koa/router'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import type { FrameworkHarness } from '../harness.ts'
import { type KoaPackages, koaHarness } from '../koa.ts'

/** Koa 3 with @koa/router 15. */
export const koa3Packages: KoaPackages = {
  name: 'Koa 3',
  answers: {
    methodNotAllowed: 405,
    options: 200,
    invalidUrl: 200,
    malformedJson: { status: 400, hasError: true },
    invalidBody: 400,
  },
  cutsBrokenStreams: true,
  createApp: () => new Koa(),
  createRouter: () => new Router(),
  bodyParser,
}

export const koa3: FrameworkHarness = koaHarness(koa3Packages)
