import type { Runtime } from 'node:inspector'
import type { Redactor } from '../safety/index.ts'

/** Stands for what is not read, for its name says that it is secret. (FA-40) */
export const unread = '*****'
/** A value as text is cut at so many characters, whatever is shown of it later. */
const longestValue = 2_000
const longestKey = 25
const mostMembers = 20

/**
 * A value as text, from what the debugger tells of it. No getter is called, and no `toString` or custom inspection.
 * `undefined` for functions, which say nothing. (FA-41)
 * @param members the value's own members, where they were asked for; else nested objects are left out
 */
export function valueText(
  value: Runtime.RemoteObject,
  redactor: Redactor,
  members?: readonly Runtime.PropertyDescriptor[],
): string | undefined {
  const { type, preview } = value
  if (type === 'function') return undefined
  if (type === 'string') return quoted(redactor.text(String(value.value).slice(0, 2 * longestValue)))
  if (type === 'number' && typeof value.value === 'number' && redactor.isSecretNumber(value.value))
    return unread
  if (type !== 'object' || value.subtype === 'null')
    return redactor.text(value.unserializableValue ?? value.description ?? String(value.value ?? type))
  const inner = new Map<string, string>()
  for (const { name, value: member } of members ?? []) {
    const nested = member?.type === 'object' ? member.preview : undefined
    if (nested !== undefined) inner.set(name, previewText(nested, redactor))
  }
  const text =
    preview === undefined ? `[${value.description ?? 'Object'}]` : previewText(preview, redactor, inner)
  const redacted = redactor.text(text)
  return redacted.length > longestValue ? `${redacted.slice(0, longestValue)}...` : redacted
}

/** Whether a value has nested objects, and so few members that asking for all of them costs little. */
export function hasNested(value: Runtime.RemoteObject): boolean {
  const { preview } = value
  if (preview === undefined || preview.overflow || preview.properties.length > mostMembers) return false
  if (preview.subtype !== undefined && preview.subtype !== 'array') return false
  return preview.properties.some(({ type, subtype }) => type === 'object' && subtype !== 'null')
}

const nothing: ReadonlyMap<string, string> = new Map()

function previewText(
  preview: Runtime.ObjectPreview,
  redactor: Redactor,
  inner: ReadonlyMap<string, string> = nothing,
): string {
  const { subtype, description = 'Object', properties, overflow } = preview
  const more = overflow ? ['...'] : []
  switch (subtype) {
    case 'error':
      return `[${firstLine(description)}]`
    case 'date':
    case 'regexp':
    case 'weakmap':
    case 'weakset':
      return description
    case 'map':
    case 'set':
      return `${description} ${inBraces([...entryTexts(preview.entries ?? [], redactor), ...more])}`
    case 'array':
    case 'typedarray':
      return `[${[...elementTexts(properties, redactor, inner), ...more].join(', ')}]`
    default: {
      const members = properties.map(
        property => `${keyText(property.name, redactor)}: ${memberText(property, redactor, inner)}`,
      )
      const name = description === 'Object' ? '' : `${firstLine(description)} `
      return name + inBraces([...members, ...more])
    }
  }
}

function inBraces(members: readonly string[]): string {
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

function elementTexts(
  properties: readonly Runtime.PropertyPreview[],
  redactor: Redactor,
  inner: ReadonlyMap<string, string>,
): string[] {
  let isValueOfSecret = false
  return properties.map(property => {
    // Headers and forms are lists of names and values too.
    const text = isValueOfSecret ? unread : memberText(property, redactor, inner)
    isValueOfSecret = property.type === 'string' && redactor.key(property.value ?? '').secret
    return text
  })
}

function entryTexts(entries: readonly Runtime.EntryPreview[], redactor: Redactor): string[] {
  return entries.map(({ key, value }) => {
    if (key === undefined) return partText(value, redactor)
    const name = key.description ?? ''
    const text = redactor.key(name).secret ? unread : partText(value, redactor)
    return `${partText(key, redactor)} => ${text}`
  })
}

/** A key or value of a map, which is told as an object is. */
function partText(part: Runtime.ObjectPreview, redactor: Redactor): string {
  const description = part.description ?? ''
  if (part.type === 'string') return quoted(redactor.text(description))
  return part.type === 'object' && part.subtype !== 'null' ? previewText(part, redactor) : description
}

function memberText(
  property: Runtime.PropertyPreview,
  redactor: Redactor,
  inner: ReadonlyMap<string, string>,
): string {
  if (redactor.key(property.name).secret) return unread
  const { type, subtype, value = '' } = property
  if (type === 'accessor') return '[Getter]'
  if (type === 'function') return '[Function]'
  if (type === 'string') return quoted(redactor.text(value))
  if (type === 'number' && redactor.isSecretNumber(Number(value))) return unread
  if (type !== 'object' || subtype === 'null') return value
  const nested = inner.get(property.name)
  if (nested !== undefined) return nested
  // What is nested any deeper.
  return subtype === undefined && value === 'Object' ? '{...}' : `[${firstLine(redactor.text(value))} ...]`
}

function keyText(key: string, redactor: Redactor): string {
  const text = redactor.text(key)
  return text.length > longestKey ? `${text.slice(0, longestKey)}...` : text
}

function quoted(text: string): string {
  return JSON.stringify(text.length > longestValue ? `${text.slice(0, longestValue)}...` : text)
}

function firstLine(text: string): string {
  const end = text.indexOf('\n')
  return end < 0 ? text : text.slice(0, end)
}
