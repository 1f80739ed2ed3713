// Validation libraries throw errors of their own shapes. What they list about the input is what the client is told,
// and what a log should say; the errors come from anybody's code, so reading one may throw.

/** Error names under which libraries keep the list in `issues`: zod, valibot. */
const withIssues: ReadonlySet<unknown> = new Set(['ZodError', '$ZodError', 'ValiError'])

/**
 * What a validation library found wrong with its input, in its own words: the list of Fastify's schema errors, zod,
 * valibot, ajv, joi, yup, or a NestJS pipe. `undefined` for any other error. (FA-24)
 */
export function validationDetail(thrown: unknown): readonly unknown[] | undefined {
  try {
    if (typeof thrown !== 'object' || thrown === null) return undefined
    return filled(Reflect.get(thrown, 'validation')) ?? named(thrown) ?? ofHttpError(thrown)
  } catch {
    return undefined
  }
}

function named(thrown: object): readonly unknown[] | undefined {
  const name: unknown = Reflect.get(thrown, 'name')
  if (withIssues.has(name)) return filled(Reflect.get(thrown, 'issues'))
  // ajv and joi mark their errors, since others use this name too; yup has a list for each wrong member.
  const isKnown =
    Reflect.get(thrown, 'ajv') === true ||
    Reflect.get(thrown, 'isJoi') === true ||
    (name === 'ValidationError' && Array.isArray(Reflect.get(thrown, 'inner')))
  if (!isKnown) return undefined
  return filled(Reflect.get(thrown, 'details')) ?? filled(Reflect.get(thrown, 'errors'))
}

/** NestJS pipes throw an HTTP error whose answer lists what is wrong; OpenAPI validators have it in `errors`. */
function ofHttpError(thrown: object): readonly unknown[] | undefined {
  const status: unknown = Reflect.get(thrown, 'status')
  if (status !== 400 && status !== 422) return undefined
  const answer: unknown = Reflect.get(thrown, 'response')
  const listed = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'message') : undefined
  // Hono's and Koa's HTTP errors carry what the library threw.
  return filled(listed) ?? filled(Reflect.get(thrown, 'errors')) ?? ofCause(Reflect.get(thrown, 'cause'))
}

function ofCause(cause: unknown): readonly unknown[] | undefined {
  return typeof cause === 'object' && cause !== null ? named(cause) : undefined
}

function filled(list: unknown): readonly unknown[] | undefined {
  return Array.isArray(list) && list.length > 0 ? list : undefined
}
