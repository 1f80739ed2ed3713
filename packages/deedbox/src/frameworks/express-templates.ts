/** The text of what a route was registered with. */
export function patternText(pattern: unknown): string | undefined {
  if (typeof pattern === 'string') return pattern
  return pattern instanceof RegExp ? String(pattern) : undefined
}

/** The template of a route from that of the router it is in and its own. */
export function routeTemplate(base: string, own: string): string {
  return own === '/' && base !== '' ? base : base + own
}

/**
 * The template of a mount point from its concrete path and the pattern of its last part: the template of the mount
 * point around it, which is the one whose rest has the form of the pattern, and the pattern.
 * @returns `undefined` where the path does not have that form, such as that of a regular expression
 */
export function mountTemplate(
  mounts: ReadonlyMap<string, string> | undefined,
  baseUrl: string,
  pattern: unknown,
): string | undefined {
  if (typeof pattern !== 'string') return undefined
  const own = pattern.replace(/\/$/, '')
  const around = [...(mounts?.keys() ?? [])]
    .filter(base => baseUrl.startsWith(`${base}/`))
    .sort((a, b) => b.length - a.length)
    .find(base => hasForm(baseUrl.slice(base.length), own))
  if (around !== undefined) return (mounts?.get(around) ?? '') + own
  return hasForm(baseUrl, own) ? own : undefined
}

/** A concrete path with the values of its parameters replaced by their names: `/orgs/7` becomes `/orgs/:org`. */
export function parametrise(path: string, params: Readonly<Record<string, unknown>>): string {
  const names = Object.entries(params)
  return path
    .split('/')
    .map(segment => {
      const found = names.find(([, value]) => value === segment || value === decode(segment))
      return found === undefined ? segment : `:${found[0]}`
    })
    .join('/')
}

function hasForm(path: string, pattern: string): boolean {
  const segments = path.toLowerCase().split('/')
  const parts = pattern.toLowerCase().split('/')
  return (
    segments.length === parts.length && parts.every((part, i) => /[:*{]/.test(part) || part === segments[i])
  )
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
