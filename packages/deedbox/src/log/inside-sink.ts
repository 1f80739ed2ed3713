/** How many sinks are being called right now, one inside the other. */
let depth = 0

/** Whether the calling code runs inside a sink: what it prints is a finished line and no text for the log. */
export function isInsideSink(): boolean {
  return depth > 0
}

/** Lines that sinks were handed last, while somebody captures what is printed. */
const handed = new Set<string>()
let captures = 0
const mostHanded = 1_000

/** Has the lines remembered that sinks are handed, for {@link wasHanded}. Returns how to undo it. */
export function rememberHanded(): () => void {
  captures++
  return () => {
    if (--captures === 0) handed.clear()
  }
}

/** Whether a text is a line that a sink was handed: one that prints later on would otherwise get it back. */
export function wasHanded(text: string): boolean {
  return handed.has(text.trimEnd())
}

/** Calls a sink with a line, as {@link withinSink} does, without a closure for each line. */
export function handLine(line: string, sink: { write(line: string): void }): void {
  if (captures > 0) {
    const [oldest] = handed
    if (handed.size >= mostHanded && oldest !== undefined) handed.delete(oldest)
    handed.add(line.trimEnd())
  }
  depth++
  try {
    sink.write(line)
  } finally {
    depth--
  }
}

/** Calls a sink so that what it prints meanwhile, by `console` for instance, can be told by {@link isInsideSink}. */
export function withinSink(call: () => void): void {
  depth++
  try {
    call()
  } finally {
    depth--
  }
}
