import { frameworkConformance } from './conformance.ts'
import { fastify4 } from './fastify-4/harness.ts'
import { fastify5 } from './fastify-5/harness.ts'

frameworkConformance(fastify4)
frameworkConformance(fastify5)
