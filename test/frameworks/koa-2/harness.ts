import Router from '@koa/router'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import type { FrameworkHarness } from '../harness.ts'
import { type KoaPackages, koaHarness } from '../koa.ts'

/** Koa 2 with @koa/router 13. */
export const koa2Packages: KoaPackages = {
  name: 'Koa 2',
  cutsBrokenStreams: false,
  createApp: () => new Koa(),
  createRouter: () => new Router(),
  bodyParser,
}

export const koa2: FrameworkHarness = koaHarness(koa2Packages)
