import { unread } from './local-values.ts'

/** Longer texts are cut before they are handed over: the debugger would copy any length of them. */
const longestText = 4_000
const mostMembers = 50

const { getOwnPropertyDescriptor, getOwnPropertyNames } = Object

/**
 * A copy of an object's own members that the debugger may read. Secrets are not read, and getters not called. Meant for
 * scopes and plain objects: a proxy would notice. (FA-40, FA-41)
 */
export function copyReadable(object: object, isSecret: (name: string) => boolean): object {
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  try {
    for (const name of getOwnPropertyNames(object).slice(0, mostMembers)) {
      if (isSecret(name)) {
        copy[name] = unread
        continue
      }
      const value: unknown = getOwnPropertyDescriptor(object, name)?.value
      copy[name] =
        typeof value === 'string' && value.length > longestText ? value.slice(0, longestText) : value
    }
  } catch {
    // What was copied so far.
  }
  return copy
}
