import type { FrameworkAnswers, FrameworkHarness } from '../harness.ts'
import { nestHarness } from '../nest.ts'

const answers: FrameworkAnswers = {
  methodNotAllowed: 404,
  options: 404,
  invalidUrl: 400,
  malformedJson: { status: 400, hasError: true },
  invalidBody: 400,
}

/** Nest 12 on its default platform. */
export const nest12Express: FrameworkHarness = nestHarness(12, 'express', answers)

/** Nest 12 on Fastify. */
export const nest12Fastify: FrameworkHarness = nestHarness(12, 'fastify', answers)
