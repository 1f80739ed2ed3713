import { createSerializer, type Redactor, type SerializerLimits } from '../safety/index.ts'

/** Bodies here have fewer than 2,000 bytes, so nothing but depth needs a limit. */
const limits: SerializerLimits = {
  depth: 100,
  entries: Number.POSITIVE_INFINITY,
  textLength: Number.POSITIVE_INFINITY,
  totalLength: Number.POSITIVE_INFINITY,
}

/**
 * The text of a short request body with its secrets blanked, for a ledger that cannot delete it: JSON and forms
 * by key, other text by pattern. Bodies of other types, among them multipart, have no text here, because what is
 * secret in them cannot be told. (IF-22, IF-25)
 */
export function bodyText(bytes: Buffer, contentType: string, redactor: Redactor): string | undefined {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const text = bytes.toString('utf8')
  // Compressed, or UTF-16: nothing can be recognised in it, and whoever wants can read it.
  if (text.includes('\0')) return undefined
  if (type === 'application/x-www-form-urlencoded') return redactor.url(`?${text}`).slice(1)
  if (type === 'application/json' || type.endsWith('+json')) {
    try {
      return createSerializer(redactor, limits).serialize(JSON.parse(text)).json
    } catch {
      return redactor.text(text)
    }
  }
  return type.startsWith('text/') ? redactor.text(text) : undefined
}
