import type { FrameworkHarness } from '../harness.ts'
import { nestHarness } from '../nest.ts'

/** Nest 12 on its default platform. */
export const nest12Express: FrameworkHarness = nestHarness(12, 'express')

/** Nest 12 on Fastify. */
export const nest12Fastify: FrameworkHarness = nestHarness(12, 'fastify')
