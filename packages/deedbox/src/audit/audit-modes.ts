import { type AuditMode, auditModes, type Routed } from '../request/index.ts'

/**
 * The mode of an instance: one for all requests whose route has none, or `dryRun`, in which every event is made and none
 * leaves the process.
 */
export type InstanceMode = AuditMode | 'dryRun'

/** All modes that an instance can have. */
export const instanceModes: readonly InstanceMode[] = [...auditModes, 'dryRun']

/** A method, if the key names one, and a template or path. */
const routeKey = /^(?:([A-Za-z][A-Za-z-]*) +)?(\/\S*)$/

/**
 * How the mode of a request is found: by its method and route template. Where the route is not known, because a middleware
 * answered before it was found or because nobody tells it, the path is held against the templates. `undefined` where all
 * are `open`.
 * @param routes modes by keys such as `POST /transfers/:id`, or `/transfers/:id` for all methods
 * @throws Error about the key or mode at fault
 */
export function routeModes(
  mode: InstanceMode,
  routes: Readonly<Record<string, AuditMode>>,
): ((request: Routed) => AuditMode) | undefined {
  const otherwise = mode === 'dryRun' ? 'open' : mode
  const modes = new Map<string, AuditMode>()
  for (const [key, wanted] of Object.entries(routes)) {
    const [, method, route] = routeKey.exec(key) ?? []
    if (route === undefined) {
      throw new Error(
        `"${key}" is no route. Write it like POST /transfers/:id, or /transfers/:id for all methods.`,
      )
    }
    if (!auditModes.includes(wanted))
      throw new Error(`${key} has a mode that is unknown. Use ${auditModes.join(', ')}.`)
    modes.set(method === undefined ? route : `${method.toUpperCase()} ${route}`, wanted)
  }
  if (mode === 'off') return () => 'off'
  if (modes.size === 0) return otherwise === 'open' ? undefined : () => otherwise
  const templates = [...new Set([...modes.keys()].map(key => key.slice(key.indexOf('/'))))].map(template => ({
    template,
    covers: coverOf(template),
  }))
  const at = (method: string, place: string): AuditMode | undefined =>
    modes.get(`${method} ${place}`) ?? modes.get(place)
  return ({ method, route, path }) => {
    if (route !== null) return at(method, route) ?? otherwise
    for (const { template, covers } of templates) {
      const mode = template === path || covers.test(path) ? at(method, template) : undefined
      if (mode !== undefined) return mode
    }
    return otherwise
  }
}

/** The paths that a template stands for; a segment such as `:id`, `{id}` or `[id]` stands for any one. */
function coverOf(template: string): RegExp {
  const segments = template
    .split('/')
    .map(segment =>
      /^(?::\w+|\{\w+\}|\[\w+\])$/.test(segment) ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
  return new RegExp(`^${segments.join('/')}$`)
}
