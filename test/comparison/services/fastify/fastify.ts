import fastify from 'fastify'
import { serveFastify } from './service.ts'

await serveFastify(fastify({ logger: true }))
