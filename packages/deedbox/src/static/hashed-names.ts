/**
 * Whether the name of a file holds a hash of its content, as bundlers write it: `index-BkX3v9Qd.js` (Vite, Rollup),
 * `main-K5HN2ZWA.js` (esbuild), `main.8e0d62a1.js` (webpack, Parcel). Whatever may as well be a word, a number or a date is
 * none: a file that keeps its name is then asked for again and again, while one that changes would stay old for a year.
 * @param path of the file, its folders do not count
 */
export function isHashedName(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (name.endsWith('.html') || uuid.test(name)) return false
  // The last part is the extension.
  return name.split('.').slice(0, -1).some(holdsHash)
}

const uuid = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/i

function holdsHash(part: string): boolean {
  const hex = /(?:^|[-_])([\da-f]{8,64})$/.exec(part)?.[1]
  if (hex !== undefined && isHex(hex)) return true
  // Eight signs that may themselves be hyphens, so they are counted from the end.
  const eight = part.slice(-8)
  const before = part.at(-9)
  if (eight.length < 8 || (before !== undefined && before !== '-' && before !== '.')) return false
  return isBase32(eight) || isBase64(eight)
}

/** Letters and digits that take turns; `deadbeef`, `20260101` and `facade01` do not. */
function isHex(text: string): boolean {
  return runs(text, /\d+|[a-f]+/g) >= 3
}

/** As esbuild writes it. Words have vowels; `CHAPTER2` is one with its number. */
function isBase32(text: string): boolean {
  if (!/^[A-Z2-7]{8}$/.test(text)) return false
  return runs(text, /\d+|[A-Z]+/g) >= 3 || /[B-DF-HJ-NP-TV-XZ]{5}/.test(text)
}

/** As Rollup writes it. `SemiBold`, `Chapter1` and `iPhone15` are of fewer parts. */
function isBase64(text: string): boolean {
  if (!/^[\w-]{8}$/.test(text) || !/[a-z]/.test(text) || !/[A-Z]/.test(text)) return false
  return runs(text, /[A-Z]?[a-z]+|[A-Z]+|\d+/g) >= 4
}

function runs(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}
