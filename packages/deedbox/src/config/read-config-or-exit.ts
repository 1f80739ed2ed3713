import { flatLine, standardSink } from '../log/index.ts'
import { wallMicroseconds } from '../request/index.ts'
import { createRedactor, createSerializer, logLimits } from '../safety/index.ts'
import { ConfigurationProblems } from './problems.ts'
import { type ConfigOptions, readConfig } from './read-config.ts'
import type { Config, ConfigShape } from './setting.ts'

/**
 * As `readConfig()`, for the main file of a service: if the environment cannot work, the list of what is wrong goes to
 * stderr, without a stack trace, and the process ends with code 1. The list is text on a terminal, in development and
 * in testing; elsewhere one line of JSON, like everything that is collected there.
 * @throws TypeError for a shape, default or profile that cannot work in any environment
 */
export function readConfigOrExit<const Shape extends ConfigShape>(
  shape: Shape,
  options: ConfigOptions<NoInfer<Shape>> = {},
): Config<Shape> {
  try {
    return readConfig(shape, options)
  } catch (error) {
    if (!(error instanceof ConfigurationProblems)) throw error
    const { profile } = error
    const isForEyes = process.stderr.isTTY || profile === 'development' || profile === 'testing'
    const sink = standardSink('stderr', () => {})
    sink.write(`${isForEyes ? error.message : lineOf(error)}\n`)
    sink.flush()
    process.exit(1)
  }
}

function lineOf({ code, problems, profile }: ConfigurationProblems): string {
  const head = {
    instant: wallMicroseconds(),
    level: 'CRITICAL',
    number: 50,
    type: 'deedbox',
    logger: undefined,
    message: 'The environment of this service cannot work',
    source: undefined,
    failure: undefined,
    members: '',
  } as const
  const serializer = createSerializer(createRedactor(), logLimits)
  return flatLine(head, serializer, { code, ENV: profile, problems }, undefined, () => {})
}
