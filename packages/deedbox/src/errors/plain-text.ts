import { stripVTControlCharacters } from 'node:util'

/** What a terminal obeys, or what turns the order of a text around. Line breaks and tabs may stay. */
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/**
 * A text as it may be shown on a terminal: colours are taken out, and other control characters written as escapes, so
 * that no message moves the cursor or hides a part of itself.
 */
export function plainText(text: string): string {
  const plain = text.includes('\u001b') ? stripVTControlCharacters(text) : text
  return plain
    .replaceAll('\r\n', '\n')
    .replace(obeyed, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
