/** Texts longer than this are worked out each time. */
const longest = 512

/**
 * A text with characters of its own. What V8 cuts out of a text shares those of the whole, and keeps them all: sixty
 * characters of a body of a megabyte would be a megabyte.
 */
export function ownCopy(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}

/**
 * Remembers what a function made of the texts it was given last, for texts of which there are few different ones:
 * user agents, routes, messages.
 * @param most how many are kept; beyond that all are forgotten
 */
export function remember(work: (text: string) => string, most: number): (text: string) => string {
  const known = new Map<string, string>()
  return text => {
    const found = known.get(text)
    if (found !== undefined) return found
    const fresh = work(text)
    if (text.length <= longest) {
      if (known.size >= most) known.clear()
      known.set(ownCopy(text), ownCopy(fresh))
    }
    return fresh
  }
}
