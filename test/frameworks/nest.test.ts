import { frameworkConformance } from './conformance.ts'
import { nest11Express, nest11Fastify } from './nest-11/harness.ts'
import { nest12Express, nest12Fastify } from './nest-12/harness.ts'

frameworkConformance(nest12Express)
frameworkConformance(nest12Fastify)
frameworkConformance(nest11Express)
frameworkConformance(nest11Fastify)
