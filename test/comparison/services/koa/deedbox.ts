import { deedbox } from 'deedbox'
import { observe } from 'deedbox/koa'
import { serveKoa } from './service.ts'

const box = deedbox({ service: 'shop', audit: { requests: false } })
await serveKoa(
  app => app.use(observe(box)),
  () => box.close(),
)
