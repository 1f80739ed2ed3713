import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { VersionObject } from '../http/index.ts'

const variables = {
  source: 'DEEDBOX_SOURCE',
  version: 'DOCKERFLOW_VERSION',
  commit: 'DEEDBOX_COMMIT',
  build: 'DEEDBOX_BUILD',
} as const

/**
 * What `/__version__` tells: `version.json` of the image, in `APP_DIR` or `/app`, and the variables in place of what it
 * says. What neither says is the package's version, and empty. (DF-02, DF-03, DF-05)
 */
export function ownVersion(environment: Readonly<Record<string, string | undefined>>): VersionObject {
  const file = new URL('../../package.json', import.meta.url)
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  const built = versionFile(environment.APP_DIR || '/app')
  const told = (name: keyof typeof variables): string => environment[variables[name]] || textOf(built[name])
  return {
    source: told('source'),
    version: told('version') || version,
    commit: told('commit'),
    build: told('build'),
  }
}

/** Nothing for a file that is not there, or is none: a ledger starts all the same. */
function versionFile(folder: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(readFileSync(join(folder, 'version.json'), 'utf8'))
    return Object(found)
  } catch {
    return {}
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
