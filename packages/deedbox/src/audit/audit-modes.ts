import { METHODS } from 'node:http'
import { type AuditMode, auditModes, type Routed } from '../request/index.ts'

/**
 * The mode of an instance: one for all requests whose route has none, or `dryRun`, in which every event is made and none
 * leaves the process.
 */
export type InstanceMode = AuditMode | 'dryRun'

/** All modes that an instance can have. */
export const instanceModes: readonly InstanceMode[] = [...auditModes, 'dryRun']

/** The modes of routes, looked up. */
export interface RouteModes {
  /** `undefined` where all requests are `open`. */
  readonly modeOf: ((request: Routed) => AuditMode) | undefined
  /** The keys of routes, and their modes, that no request has met so far. */
  unmet(): string[]
}

/** A method, if the key names one, and a template or path. */
const routeKey = /^(?:([A-Za-z][A-Za-z-]*) +)?(\/\S*)$/

/**
 * How the mode of a request is found: by its method and route template. Where the route is not known, because a middleware
 * answered before it was found or because nobody tells it, the path is held against the templates. What a parameter is
 * called does not matter.
 * @param routes modes by keys such as `POST /transfers/:id`, or `/transfers/:id` for all methods
 * @throws Error about the key or mode at fault
 */
export function routeModes(mode: InstanceMode, routes: Readonly<Record<string, AuditMode>>): RouteModes {
  const otherwise = mode === 'dryRun' ? 'open' : mode
  const modes = new Map<string, { readonly key: string; readonly mode: AuditMode }>()
  for (const [key, wanted] of Object.entries(routes)) {
    const [, method, route] = routeKey.exec(key) ?? []
    if (route === undefined) {
      throw new Error(
        `"${key}" is no route. Write it like POST /transfers/:id, or /transfers/:id for all methods.`,
      )
    }
    if (method !== undefined && !METHODS.includes(method.toUpperCase()))
      throw new Error(`"${key}": HTTP has no method ${method}.`)
    if (!auditModes.includes(wanted))
      throw new Error(`${key} has a mode that is unknown. Use ${auditModes.join(', ')}.`)
    const place = withoutNames(route)
    modes.set(method === undefined ? place : `${method.toUpperCase()} ${place}`, { key, mode: wanted })
  }
  const met = new Set<string>()
  const unmet = (): string[] => [...modes.values()].map(({ key }) => key).filter(key => !met.has(key))
  if (mode === 'off') return { modeOf: () => 'off', unmet: () => [] }
  if (modes.size === 0) return { modeOf: otherwise === 'open' ? undefined : () => otherwise, unmet }
  const templates = [...new Set([...modes.keys()].map(key => key.slice(key.indexOf('/'))))].map(template => ({
    template,
    covers: coverOf(template),
  }))
  const at = (method: string, place: string): AuditMode | undefined => {
    // Frameworks answer HEAD by the handler of GET.
    const asGet = method === 'HEAD' ? modes.get(`GET ${place}`) : undefined
    const found = modes.get(`${method} ${place}`) ?? asGet ?? modes.get(place)
    if (found !== undefined) met.add(found.key)
    return found?.mode
  }
  const modeOf = ({ method, route, path }: Routed): AuditMode => {
    if (route !== null) return at(method, withoutNames(route)) ?? otherwise
    for (const { template, covers } of templates) {
      const mode = template === path || covers.test(path) ? at(method, template) : undefined
      if (mode !== undefined) return mode
    }
    return otherwise
  }
  return { modeOf, unmet }
}

/** A template whose parameters have no names: `/transfers/:`. */
function withoutNames(template: string): string {
  return template.replace(/(?<=\/)(?::\w+|\{\w+\}|\[\w+\])(?=\/|$)/g, ':')
}

/** The paths that a template stands for; a parameter stands for any segment. */
function coverOf(template: string): RegExp {
  const segments = template
    .split('/')
    .map(segment => (segment === ':' ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${segments.join('/')}$`)
}
