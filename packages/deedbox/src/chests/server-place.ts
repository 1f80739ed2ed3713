import { ConfigurationError } from '../safety/index.ts'
import { type ChestParts, chestParts } from './chest-options.ts'
import {
  connectionIn,
  connectionOf,
  placeOptions,
  type ServerConnection,
  type ServerOptions,
  type ServerUrls,
  type SqlChestSettings,
  sqlChestOptions,
  sqlChestSettings,
} from './server-connection.ts'

/** How one kind of server is told. */
export interface ServerTold extends ServerUrls {
  /** How messages call the chest: `postgres()`. */
  readonly taker: string
  /** The method that its pools have, and what such a pool is. */
  readonly poolMethod: string
  readonly poolName: string
  /** The method that tells what is like such a pool, and is none. */
  readonly otherMethod: string
}

/** What a chest of such a server was told, read. */
export interface ServerChest<Pool> extends ChestParts, SqlChestSettings {
  /** The caller's pool, or where the server is. */
  readonly place: { readonly pool: Pool } | { readonly connection: ServerConnection }
}

/**
 * Reads the arguments of a chest: a pool, a URL, or options that tell where the server is.
 * @throws ConfigurationError naming the option at fault
 */
export function serverChest<Pool>(
  { taker, poolMethod, poolName, otherMethod, ...urls }: ServerTold,
  given: unknown,
  more: ServerOptions | undefined,
): ServerChest<Pool> {
  const read = (options: ServerOptions, names: readonly string[]) => ({
    ...chestParts(taker, options, [...sqlChestOptions, ...names]),
    ...sqlChestSettings(taker, options),
  })
  if (typeof given === 'string' || given instanceof URL) {
    const options = more ?? {}
    const parts = read(options, ['tls'])
    return { ...parts, place: { connection: connectionIn(taker, String(given), urls, options) } }
  }
  if (hasMethod(given, poolMethod) && !hasMethod(given, otherMethod))
    return { ...read(more ?? {}, []), place: { pool: given as Pool } }
  if (typeof given !== 'object' || given === null || hasMethod(given, 'query'))
    throw new ConfigurationError(taker, `${poolName}, a URL or { host, … } is needed.`)
  if (more !== undefined)
    throw new ConfigurationError(taker, 'all options go into one object, where there is no pool and no URL.')
  const parts = read(given, [...placeOptions, 'tls'])
  return { ...parts, place: { connection: connectionOf(taker, given, urls.port) } }
}

function hasMethod(thing: unknown, name: string): boolean {
  return typeof thing === 'object' && thing !== null && typeof Reflect.get(thing, name) === 'function'
}

/**
 * The pool of a chest: the caller's, or one of our own that is opened when it is needed first.
 * @param listen what the chest does with its pool at first
 * @param unlisten and with one that is the caller's at last
 */
export function poolIn<Pool, Own extends Pool & { end(): Promise<void> }>(
  place: ServerChest<Pool>['place'],
  open: (connection: ServerConnection) => Promise<Own>,
  listen: (pool: Pool) => void = () => {},
  unlisten: (pool: Pool) => void = () => {},
): { pool(): Promise<Pool>; close(): Promise<void> } {
  if ('pool' in place) {
    listen(place.pool)
    return { pool: async () => place.pool, close: async () => unlisten(place.pool) }
  }
  let own: Promise<Own> | undefined
  return {
    pool: async () => {
      own ??= open(place.connection).then(opened => {
        listen(opened)
        return opened
      })
      try {
        return await own
      } catch (error) {
        own = undefined
        throw error
      }
    },
    close: async () => {
      await (await own)?.end()
    },
  }
}
