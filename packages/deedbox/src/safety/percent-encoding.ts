/** Layers of encoding that are taken off: a URL in a URL in a URL. */
const layers = 3

/** A text without its percent-encoding, as far as it is one; what is malformed stays as it is. */
export function decodePercent(text: string): string {
  let decoded = text
  for (let layer = 0; layer < layers && decoded.includes('%'); layer++) {
    const inner = decoded.replace(/(?:%[\dA-Fa-f]{2})+/g, decodeRun)
    if (inner === decoded) break
    decoded = inner
  }
  return decoded
}

function decodeRun(run: string): string {
  try {
    return decodeURIComponent(run)
  } catch {
    return run.replace(/%[0-7][\dA-Fa-f]/g, byte => String.fromCharCode(Number.parseInt(byte.slice(1), 16)))
  }
}

/** What a URL separates its parts with, and what stands around a URL in a text. */
const separators = ' \t\r\n\f\v?&;,"`<>{}='
const outside = /[ \t\r\n\f\v?&;,"`<>{}=]/g

/**
 * Blanks what is secret once it is decoded, in a text of any kind: each piece with a percent sign, up to the next
 * sign that a URL separates its parts with, is decoded and asked about.
 * @param redact blanks what is secret in a text that is not encoded
 */
export function blankEncoded(text: string, replacement: string, redact: (text: string) => string): string {
  let redacted = ''
  let copied = 0
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', Math.max(at + 1, copied))) {
    let start = at
    while (start > copied && !separators.includes(text.charAt(start - 1))) start--
    outside.lastIndex = at
    const end = outside.exec(text)?.index ?? text.length
    redacted += text.slice(copied, start) + blankPiece(text.slice(start, end), replacement, redact)
    copied = end
  }
  return copied === 0 ? text : redacted + text.slice(copied)
}

function blankPiece(piece: string, replacement: string, redact: (text: string) => string): string {
  if (!holdsSecret(piece, redact)) return piece
  if (!piece.includes('/')) return replacement
  // Of a path, the segment that holds the secret is enough, unless it takes several.
  const segments = piece.split('/').map(part => (holdsSecret(part, redact) ? replacement : part))
  const shown = segments.join('/')
  return holdsSecret(shown, redact) ? replacement : shown
}

function holdsSecret(piece: string, redact: (text: string) => string): boolean {
  if (!piece.includes('%')) return false
  const decoded = decodePercent(piece)
  if (decoded === piece) return false
  // Forms write a space as a plus sign.
  return [decoded, decoded.replaceAll('+', ' ')].some(text => redact(text) !== text)
}
