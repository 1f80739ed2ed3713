import { deedbox } from 'deedbox'
import { observe } from 'deedbox/express'
import { serveExpress } from './service.ts'

const box = deedbox({ service: 'shop', audit: { requests: false } })
await serveExpress(
  app => app.use(observe(box)),
  undefined,
  () => box.close(),
)
