import { deedbox } from 'deedbox'
import { observe } from 'deedbox/nest'
import { serveNest } from './service.ts'

const box = deedbox({ service: 'shop', audit: { requests: false } })
await serveNest(
  undefined,
  app => observe(box)(app),
  () => box.close(),
)
