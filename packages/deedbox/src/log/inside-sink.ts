/** How many sinks are being called right now, one inside the other. */
let depth = 0

/** Whether the calling code runs inside a sink: what it prints is a finished line and no text for the log. */
export function isInsideSink(): boolean {
  return depth > 0
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
