import { types } from 'node:util'
import { unread } from './local-values.ts'

/** Longer texts are cut before they are handed over: the debugger would copy any length of them. */
const longestText = 4_000
const mostMembers = 50

const { getOwnPropertyDescriptor, getOwnPropertyNames } = Object

/** Shorter values are found in too many texts by chance. */
const shortestSecret = 6
const mostSecrets = 50
/** The debugger leaves out the middle of texts that are longer than a hundred characters. */
const shownWhole = 100
const shownStart = 40

/** What one error's variables with secret names hold, which others may hold as well. Stays in the main thread. */
export class HeldSecrets {
  readonly #values = new Set<string>()

  /** Begins with the next error. */
  clear(): void {
    this.#values.clear()
  }

  note(value: unknown): void {
    if (typeof value !== 'string' || value.length < shortestSecret || this.#values.size >= mostSecrets) return
    this.#values.add(value.length > shownWhole ? value.slice(0, shownStart) : value)
  }

  /** The frames of an error, as JSON, without any of them. */
  blankIn(json: string): string {
    let blanked = json
    // Texts are quoted once as values and once more as JSON.
    for (const value of this.#values) blanked = blanked.replaceAll(inner(inner(value)), unread)
    return blanked
  }
}

function inner(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/**
 * A copy of an object's own members that the debugger may read. Secrets are held back, and getters not called. Meant
 * for scopes and plain objects: a proxy would notice. (FA-40, FA-41)
 */
export function copyReadable(
  object: object,
  isSecret: (name: string) => boolean,
  secrets: HeldSecrets,
): object {
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  try {
    for (const name of getOwnPropertyNames(object).slice(0, mostMembers)) {
      const value: unknown = getOwnPropertyDescriptor(object, name)?.value
      const isHeldBack = isSecret(name)
      noteMembers(value, inner => isHeldBack || isSecret(inner), secrets)
      if (isHeldBack) {
        secrets.note(value)
        copy[name] = unread
        continue
      }
      copy[name] =
        typeof value === 'string' && value.length > longestText ? value.slice(0, longestText) : value
    }
  } catch {
    // What was copied so far.
  }
  return copy
}

/** What an object holds under secret names, one level deep; it is shown as it is told by the debugger. */
function noteMembers(value: unknown, isSecret: (name: string) => boolean, secrets: HeldSecrets): void {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return
  for (const name of getOwnPropertyNames(value).slice(0, mostMembers))
    if (isSecret(name)) secrets.note(getOwnPropertyDescriptor(value, name)?.value)
}
