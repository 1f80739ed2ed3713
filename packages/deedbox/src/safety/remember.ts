/** Texts longer than this are worked out each time. */
const longest = 512

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
      known.set(text, fresh)
    }
    return fresh
  }
}
