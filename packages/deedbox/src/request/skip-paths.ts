/** A path that is not recorded: the exact path, everything that begins with a prefix, or what a pattern matches. */
export type SkipPath = string | { readonly prefix: string } | RegExp

/**
 * Health endpoints of this product and of the systems it unites. With them those of `health()` are skipped wherever it
 * serves them, and its `/metrics`: see {@link skipsHealth}.
 */
export const defaultSkipPaths: readonly SkipPath[] = [
  '/health',
  '/healthz',
  // With a slash at the end they are served as well. (DF-01)
  ...['/__heartbeat__', '/__lbheartbeat__', '/__readiness__', '/__version__'].flatMap(path => [
    path,
    `${path}/`,
  ]),
]

/** Whether a list is the default one, or has all of it. */
export function skipsHealth(paths: readonly SkipPath[]): boolean {
  return defaultSkipPaths.every(each => paths.includes(each))
}

/**
 * Builds the test whether a request is skipped, by its path (without query) or its method. Empty lists skip
 * nothing. (IF-07, IF-17)
 * @throws TypeError for what is no path or no method
 */
export function skipTest(
  paths: readonly SkipPath[],
  methods: readonly string[] = [],
): (path: string, method?: string) => boolean {
  for (const path of paths) {
    const prefix: unknown =
      typeof path === 'object' && 'prefix' in Object(path) ? Reflect.get(path, 'prefix') : ''
    if (
      !(typeof path === 'string' || path instanceof RegExp || (typeof prefix === 'string' && prefix !== ''))
    ) {
      throw new TypeError('a path is a text, a RegExp, or { prefix } with a text that is not empty.')
    }
  }
  if (!methods.every(method => typeof method === 'string')) throw new TypeError('a method is a text.')
  const skippedMethods = new Set(methods.map(method => method.toUpperCase()))
  const exact = new Set(paths.filter(path => typeof path === 'string'))
  // A set has to read the whole of a path that is new to it, as each one is; most have the length of none in it.
  const lengths: boolean[] = []
  for (const { length } of exact) lengths[length] = true
  const patterns = paths
    .filter(path => path instanceof RegExp)
    // The sticky and global flags would make the answer depend on the previous request.
    .map(pattern => new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')))
  const prefixes = paths
    .filter(path => typeof path === 'object' && 'prefix' in path)
    .map(path => (path as { readonly prefix: string }).prefix)
  const isListed = (path: string): boolean =>
    prefixes.some(prefix => path.startsWith(prefix)) || patterns.some(pattern => pattern.test(path))
  const hasLists = prefixes.length + patterns.length > 0
  const hasMethods = skippedMethods.size > 0
  return (path, method = '') =>
    (lengths[path.length] === true && exact.has(path)) ||
    (hasMethods && skippedMethods.has(method)) ||
    (hasLists && isListed(path))
}
