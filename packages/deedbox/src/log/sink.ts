import sonicBoom from 'sonic-boom'

// A CommonJS module whose named exports Node cannot see.
const { SonicBoom } = sonicBoom

/** Where finished lines go. Each text ends with a line break and is one JSON object. */
export interface LogSink {
  /** Takes one line. What it throws is reported on stderr and does not reach the service. (FA-10) */
  write(line: string): void
  /** Writes out what is buffered before it returns; called at exit and on signals. */
  flushSync?(): void
}

/** One of the process's own streams. */
export type StandardStream = 'stderr' | 'stdout'

/** Lines are handed to the operating system when this many characters wait, or at the end of the turn. */
const fullBuffer = 65_536

/** Bytes that may wait while the reader of the stream does not read; what comes beyond is lost and counted. */
const mostWaiting = 16 * 1024 * 1024

/** How often a full pipe is tried again, 100 ms apart, before the write counts as failed. */
const retries = 10

/**
 * Writes lines to stderr or stdout. The lines of one turn of the event loop are written together, synchronously,
 * at its end: one system call serves many requests, and no line waits in the process when the next turn begins,
 * so only a death inside the turn (SIGKILL, a crash of the runtime) can lose any. `flushSync` covers exit and
 * signals.
 */
export function standardSink(
  stream: StandardStream,
  onLoss: (lines: number, problem: string) => void,
): LogSink {
  let attempts = 0
  const out = new SonicBoom({
    fd: stream === 'stderr' ? 2 : 1,
    sync: true,
    maxLength: mostWaiting,
    retryEAGAIN: () => ++attempts <= retries,
  })
  out.on('write', () => {
    attempts = 0
  })
  out.on('error', (error: Error) => onLoss(0, error.message))
  out.on('drop', (text: string) => onLoss(text.split('\n').length - 1, `${stream} is not read`))

  let waiting = ''
  let scheduled = false
  const writeOut = (): void => {
    const text = waiting
    waiting = ''
    if (text !== '') out.write(text)
  }
  const endOfTurn = (): void => {
    scheduled = false
    writeOut()
  }
  return {
    write(line) {
      waiting += line
      if (waiting.length >= fullBuffer) writeOut()
      else if (!scheduled) {
        scheduled = true
        setImmediate(endOfTurn)
      }
    },
    flushSync() {
      writeOut()
      out.flushSync()
    },
  }
}
