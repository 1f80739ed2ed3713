import type { FrameworkHarness } from '../harness.ts'
import { nestHarness } from '../nest.ts'

/** Nest 11 on its default platform. */
export const nest11Express: FrameworkHarness = nestHarness(11, 'express')

/** Nest 11 on Fastify. */
export const nest11Fastify: FrameworkHarness = nestHarness(11, 'fastify')
