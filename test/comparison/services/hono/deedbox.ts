import { deedbox } from 'deedbox'
import { observe } from 'deedbox/hono'
import { serveHono } from './service.ts'

const box = deedbox({ service: 'shop', audit: { requests: false } })
await serveHono(
  app => app.use(observe(box)),
  () => box.close(),
)
