import { deedbox } from 'deedbox'
import { observe } from 'deedbox/fastify'
import fastify from 'fastify'
import { serveFastify } from './service.ts'

const box = deedbox({ service: 'shop', audit: { requests: false } })
const app = fastify()
await app.register(observe(box))
await serveFastify(app, () => box.close())
