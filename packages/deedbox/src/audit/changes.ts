import type { Change } from '../request/index.ts'

/** Levels of nesting that are compared; deeper values count as one. */
const mostLevels = 20

/**
 * What differs between two states of something, as an event's `changes`: one entry for each value that was added,
 * removed or replaced, in the order of the members. Plain objects are compared member by member, lists of equal length
 * entry by entry; lists of different length, and everything else, as a whole. Nothing is blanked here: the event is,
 * by the name of each member on the way.
 *
 * @returns paths in the form of the option `redact.paths`: `address.city`, `items[0].price`, `headers["x-key"]`; the
 * path of the whole is empty in neither case: two values that are no objects differ at `value`
 */
export function changes(before: unknown, after: unknown): Change[] {
  const found: Change[] = []
  compare(before, after, '', 0, found)
  return found
}

function compare(before: unknown, after: unknown, path: string, level: number, found: Change[]): void {
  if (Object.is(before, after)) return
  const kind = kindOf(before)
  if (kind !== kindOf(after) || kind === 'whole' || level === mostLevels) {
    if (!isSame(before, after)) found.push(change(path, before, after))
    return
  }
  if (kind === 'list') {
    const [old, young] = [before as readonly unknown[], after as readonly unknown[]]
    if (old.length !== young.length) found.push(change(path, before, after))
    else for (const [i, value] of old.entries()) compare(value, young[i], `${path}[${i}]`, level + 1, found)
    return
  }
  const [old, young] = [
    before as Readonly<Record<string, unknown>>,
    after as Readonly<Record<string, unknown>>,
  ]
  for (const member of new Set([...Object.keys(old), ...Object.keys(young)])) {
    const at = path + step(member, path)
    const [was, is] = [own(old, member), own(young, member)]
    if (was !== undefined && is !== undefined) compare(was, is, at, level + 1, found)
    else if (was !== is) found.push(change(at, was, is))
  }
}

/** `undefined` is what JSON leaves out: a member that holds it counts as absent. */
function own(object: Readonly<Record<string, unknown>>, member: string): unknown {
  return Object.hasOwn(object, member) ? object[member] : undefined
}

function change(path: string, before: unknown, after: unknown): Change {
  return {
    path: path === '' ? 'value' : path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  }
}

function kindOf(value: unknown): 'list' | 'members' | 'whole' {
  if (typeof value !== 'object' || value === null) return 'whole'
  if (Array.isArray(value)) return 'list'
  const prototype: unknown = Object.getPrototypeOf(value)
  // Rows of databases and entities of mappers have prototypes of their own, and no way of their own to be JSON.
  return prototype === null || !('toJSON' in value || isCollection(value)) ? 'members' : 'whole'
}

function isCollection(value: object): boolean {
  return (
    value instanceof Date ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof RegExp ||
    value instanceof Error ||
    value instanceof Promise ||
    ArrayBuffer.isView(value)
  )
}

/** Whether two values that are not compared by member would be shown alike. */
function isSame(before: unknown, after: unknown): boolean {
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null)
    return false
  if (ArrayBuffer.isView(before) && ArrayBuffer.isView(after))
    return Buffer.compare(bytes(before), bytes(after)) === 0
  if (before instanceof Map && after instanceof Map) return isSameText([...before], [...after])
  if (before instanceof Set && after instanceof Set) return isSameText([...before], [...after])
  if (before instanceof Date || after instanceof Date || 'toJSON' in before) return isSameText(before, after)
  return before instanceof RegExp && after instanceof RegExp && String(before) === String(after)
}

function bytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function isSameText(before: unknown, after: unknown): boolean {
  try {
    return JSON.stringify(before) === JSON.stringify(after)
  } catch {
    return false
  }
}

function step(member: string, path: string): string {
  if (!/^[^.[\]"'\s]+$/.test(member)) return member.includes('"') ? `['${member}']` : `["${member}"]`
  return path === '' ? member : `.${member}`
}
