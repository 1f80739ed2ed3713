import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createAdaptorServer } from '@hono/node-server'
import { deedbox, type Listening, listen } from 'deedbox'
import express4 from 'express'
import { Hono } from 'hono'
import { captureLog } from '../../packages/deedbox/src/testing/captured-log.ts'
import { fastify4App } from './fastify-4/harness.ts'
import { fastify5App } from './fastify-5/harness.ts'
import { koa2Packages } from './koa-2/harness.ts'
import { koa3Packages } from './koa-3/harness.ts'
import { compiledNest } from './nest.ts'

const local = { port: 0, host: '127.0.0.1' }
