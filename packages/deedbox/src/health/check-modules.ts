import { createRequire } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { type Check, type CheckRegistry, error, toCheck } from '../checks/index.ts'
import { errorMessage } from '../safety/index.ts'

/**
 * Has checks imported that are named by their modules: `./checks/db.js`, `./checks.js#database`, a package. Each is
 * imported once. Until then, and for good where that fails, an ERROR of a check named after it says so. (DF-29)
 * @param folder what paths are relative to, and where packages are looked for
 * @returns begins to import, when it is first called, and waits for it for so many milliseconds
 */
export function checkModules(
  specifiers: readonly string[],
  registry: CheckRegistry,
  folder: string,
): (timeout: number) => Promise<void> | undefined {
  let hasBegun = specifiers.length === 0
  return timeout => {
    if (hasBegun) return undefined
    hasBegun = true
    return inTime(Promise.all(specifiers.map(each => bring(each, registry, folder))), timeout)
  }
}

async function bring(specifier: string, registry: CheckRegistry, folder: string): Promise<void> {
  const place = (problem: string, hint?: string): (() => void) =>
    registry.register(specifier, () => [error(problem, { id: 'deedbox.health.E106', hint })], {
      replace: true,
    })
  const leave = place(`The checks of ${specifier} are still being imported.`)
  try {
    const checks = await importChecks(specifier, folder)
    leave()
    for (const each of checks) registry.register(each)
  } catch (thrown) {
    place(
      `The checks of ${specifier} cannot be had: ${errorMessage(thrown)}`,
      `Paths are relative to ${folder}. A module exports checks, functions with a name, or lists of them; # chooses one export.`,
    )
  }
}

/** @throws whatever the module does, and ConfigurationError for what is no check */
async function importChecks(specifier: string, folder: string): Promise<Check[]> {
  const mark = specifier.lastIndexOf('#')
  const [module, name] =
    mark > 0 ? [specifier.slice(0, mark), specifier.slice(mark + 1)] : [specifier, undefined]
  const exported = (await importFrom(module, folder)) as Readonly<Record<string, unknown>>
  if (name !== undefined && !Object.hasOwn(exported, name))
    throw new Error(`It has no export "${name}". It has: ${Object.keys(exported).join(', ') || 'none'}.`)
  const chosen =
    name !== undefined
      ? exported[name]
      : Object.hasOwn(exported, 'default')
        ? exported.default
        : Object.values(exported)
  return [chosen].flat(2).map(toCheck)
}

function importFrom(module: string, folder: string): Promise<unknown> {
  if (/^\.{1,2}[/\\]/.test(module) || isAbsolute(module))
    return import(pathToFileURL(resolve(folder, module)).href)
  if (module.startsWith('file:')) return import(module)
  let found: string
  try {
    found = createRequire(join(folder, 'package.json')).resolve(module)
  } catch {
    // One that can only be imported is not found so; from here it is, where packages lie side by side.
    return import(module)
  }
  return import(isAbsolute(found) ? pathToFileURL(found).href : found)
}

async function inTime(work: Promise<unknown>, timeout: number): Promise<void> {
  const isOver = new AbortController()
  await Promise.race([work, wait(timeout, undefined, { signal: isOver.signal })])
  isOver.abort()
}
