import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesBelow, readPackages } from './sources.ts'

/** Longer than this, a source file is not read in one sitting. */
export const mostLines = 350

/** Source files, tests included, with more than 350 lines, as `path: lines`. */
export function longFiles(root: string): string[] {
  return readPackages(root)
    .flatMap(({ files }) => files)
    .filter(({ lines }) => lines > mostLines)
    .map(({ path, lines }) => `${path}: ${lines} lines`)
}

/** Home folders and the like, from the root of the disk: not behind a dot, nor behind a host's name. */
const machineFolders = ['work', 'root', 'home'].join('|')
const machinePath = new RegExp(`(?:^|[^\\w.~*}/-]|file://)/(?:${machineFolders})/`)

/** Hosts whose name says so, which the lock file and the settings of npm must not name. */
const registryHost =
  /(?<![\w-])(?:registry\.[\w-]+(?:\.[\w-]+)*|npm\.pkg\.github)\.(?:org|com|net|io|dev|cn|local|internal)\b/

/** Text that is no source of ours, or no text at all. */
const unread = /\.(png|jpe?g|gif|ico|woff2?|ttf|gz|tgz|br|zip|wasm|db|sqlite|pdf|log|tsbuildinfo)$/

/**
 * Places in a repository's files that name a folder or a package registry of one machine, as `path:line: what`.
 * @param registry the address that npm uses here, whose host counts too, unless it is the machine itself
 */
export function machineTraces(root: string, registry: string | undefined): string[] {
  const host = hostOf(registry)
  return filesBelow(root, '')
    .filter(path => !unread.test(path))
    .flatMap(path =>
      readFileSync(join(root, path), 'utf8')
        .split('\n')
        .flatMap((line, at) => {
          const trace = machinePath.exec(line)?.[0] ?? registryHost.exec(line)?.[0]
          const found = trace ?? (host !== undefined && line.includes(host) ? host : undefined)
          return found === undefined ? [] : [`${path}:${at + 1}: ${found.trim()}`]
        }),
    )
}

function hostOf(registry: string | undefined): string | undefined {
  if (registry === undefined || !URL.canParse(registry)) return undefined
  const { hostname } = new URL(registry)
  // Names without a dot and loopback addresses are words that any file may use.
  return hostname.includes('.') && !hostname.startsWith('127.') ? hostname : undefined
}
