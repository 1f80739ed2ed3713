import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigurationError } from '../safety/index.ts'
import { readEnv } from '../settings.ts'
import { isHashedName } from './hashed-names.ts'

/** How `staticFiles()` serves. Everything has a default. */
export interface StaticOptions {
  /**
   * The path below which the files are served, where the framework does not take it off: `'/static'`. Express does, in
   * `app.use('/static', staticFiles('dist'))`. Default: none.
   */
  readonly prefix?: string | undefined
  /**
   * Which files never change under their name, by their path in the folder, such as `/^assets\//`. Default: those whose name
   * holds a hash as Vite, Rollup, esbuild, webpack and Parcel write it.
   */
  readonly hashed?: RegExp | undefined
  /** The file that answers pages which do not exist, for applications that read the path themselves: `'index.html'`. */
  readonly fallback?: string | undefined
  /**
   * The origin that may read the files from pages elsewhere, or `'*'`; `false` for none. Default: `*` for files that never
   * change, which a CDN keeps, and none for the rest.
   */
  readonly crossOrigin?: string | false | undefined
  /** Whether the folder is read at each request. Default: in development; else once, at the start. */
  readonly reload?: boolean | undefined
}

/** Options with defaults applied, and checked. */
export interface StaticSettings {
  readonly folder: string
  readonly prefix: string
  readonly isHashed: (path: string) => boolean
  readonly fallback: string | undefined
  readonly crossOrigin: string | false | undefined
  readonly reload: boolean
}

const names: readonly string[] = ['prefix', 'hashed', 'fallback', 'crossOrigin', 'reload']

/** @throws ConfigurationError naming the option at fault, or the folder that is missing */
export function readStatic(
  folder: string,
  options: StaticOptions,
  environment: Readonly<Record<string, string | undefined>>,
): StaticSettings {
  if (typeof folder !== 'string' || typeof options !== 'object' || options === null)
    throw new ConfigurationError('staticFiles()', 'takes the path of a folder and an object of options.')
  const unknown = Object.keys(options).find(name => !names.includes(name))
  if (unknown !== undefined)
    throw new ConfigurationError(unknown, `there is no such option. There are: ${names.join(', ')}.`)
  const path = resolve(folder)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new ConfigurationError(
      'staticFiles()',
      `there is no folder ${path}. Build it before the service starts.`,
    )
  const { prefix = '', hashed, fallback, crossOrigin, reload } = options
  if (prefix !== '' && !/^(?:\/[^/?#]+)+$/.test(prefix))
    throw new ConfigurationError('prefix', 'begins with a slash and ends without one: /static.')
  if (hashed !== undefined && !(hashed instanceof RegExp))
    throw new ConfigurationError('hashed', 'a regular expression is needed.')
  if (fallback !== undefined && (typeof fallback !== 'string' || fallback.startsWith('/')))
    throw new ConfigurationError('fallback', 'the path of a file in the folder is needed: index.html.')
  if (crossOrigin !== undefined && crossOrigin !== false && !/^(?:\*|https?:\/\/[^\s/]+)$/.test(crossOrigin))
    throw new ConfigurationError(
      'crossOrigin',
      '"*", an origin such as https://shop.example, or false is needed.',
    )
  if (reload !== undefined && typeof reload !== 'boolean')
    throw new ConfigurationError('reload', 'true or false is needed.')
  return {
    folder: path,
    prefix,
    // One with a memory would say something else at each call.
    isHashed: hashed === undefined ? isHashedName : file => file.search(hashed) >= 0,
    fallback,
    crossOrigin,
    reload: reload ?? readEnv(environment) === 'development',
  }
}
