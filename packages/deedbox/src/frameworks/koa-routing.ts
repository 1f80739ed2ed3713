/** What `@koa/router` (13 and 15 alike) and koa-mount leave on a context, as far as this file knows it. */
export interface RoutedContext {
  readonly method: string
  readonly originalUrl: string
  /** The pattern of the layer that ran last. */
  readonly _matchedRoute?: unknown
  /** All layers whose pattern fits the path, in the order in which they run. */
  readonly matched?: readonly Layer[]
  /** Where the innermost application of koa-mount hangs in the one around it. */
  readonly mountPath?: unknown
}

interface Layer {
  readonly path: unknown
  /** Empty for what `router.use()` made. */
  readonly methods: readonly string[]
}

/** The template of the route that the request took, or would have taken had no middleware of it answered. */
export function routeOf(ctx: RoutedContext): string | undefined {
  const { _matchedRoute: last, matched } = ctx
  if (last === undefined) return undefined
  const layers = Array.isArray(matched) ? (matched as readonly Layer[]) : []
  const from = layers.findIndex(layer => layer.path === last)
  const route = layers.find((layer, i) => i >= from && layer.methods.includes(ctx.method))
  const pattern = from < 0 || route === undefined ? last : route.path
  return underMount(ctx, String(pattern))
}

/**
 * The template below the path at which koa-mount hung its router. Routers in there see the rest of the path only,
 * which has as many segments as their template.
 */
function underMount({ mountPath, originalUrl }: RoutedContext, template: string): string {
  if (typeof mountPath !== 'string' || /[*({]/.test(template)) return template
  const own = template === '/' ? '' : template
  const segments = (originalUrl.split('?', 1)[0] ?? '').replace(/\/$/, '').split('/')
  const around = segments.slice(0, segments.length - own.split('/').length + 1).join('/')
  return around.endsWith(mountPath.replace(/\/$/, '')) ? around + own : template
}
