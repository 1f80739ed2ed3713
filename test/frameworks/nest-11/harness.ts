import type { FrameworkAnswers, FrameworkHarness } from '../harness.ts'
import { nestHarness } from '../nest.ts'

const answers: FrameworkAnswers = {
  methodNotAllowed: 404,
  options: 404,
  invalidUrl: 400,
  malformedJson: { status: 400, hasError: true },
  invalidBody: 400,
}

/** Nest 11 on its default platform. */
export const nest11Express: FrameworkHarness = nestHarness(11, 'express', answers)

/** Nest 11 on Fastify. */
export const nest11Fastify: FrameworkHarness = nestHarness(11, 'fastify', answers)
