import Router from '@koa/router'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import type { FrameworkHarness } from '../harness.ts'
import { type KoaPackages, koaHarness } from '../koa.ts'

/** Koa 3 with @koa/router 15. */
export const koa3Packages: KoaPackages = {
  name: 'Koa 3',
  cutsBrokenStreams: true,
  createApp: () => new Koa(),
  createRouter: () => new Router(),
  bodyParser,
}

export const koa3: FrameworkHarness = koaHarness(koa3Packages)
