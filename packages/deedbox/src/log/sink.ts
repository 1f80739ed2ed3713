import sonicBoom from 'sonic-boom'

// A CommonJS module whose named exports Node cannot see.
const { SonicBoom } = sonicBoom

/** Where finished lines go. */
export interface LogSink {
  /**
   * Takes one line: a JSON object with its line break. What it throws is reported on stderr and does not reach
   * the service. (FA-10)
   */
  write(line: string): void
  /**
   * Writes out what is buffered, before it returns. Called when the lines of one turn of the event loop have been
   * handed over, at exit, and on signals.
   */
  flush?(): void
  /** Resolves once everything taken so far is written, for sinks that write later. Awaited by the instance's `flush`. */
  drain?(): Promise<void>
  /** Lets go of what the sink holds open. Nothing is written afterwards. */
  close?(): void | Promise<void>
}

/** One of the process's own streams. */
export type StandardStream = 'stderr' | 'stdout'

/** Characters that are collected, at most, before they are written in the middle of a turn. */
const fullBuffer = 65_536

/** Bytes that may wait while the reader of the stream does not read; what comes beyond is lost and counted. */
const mostWaiting = 16 * 1024 * 1024

/** How often a full pipe is tried again, 100 ms apart, before the write counts as failed. */
const retries = 10

/**
 * Writes lines to stderr or stdout, synchronously, the lines of one turn of the event loop with one system call.
 * No line waits when the next turn begins, so only a death inside the turn (SIGKILL, a crash of the runtime) can
 * lose any.
 * @param onLoss told how many lines were lost, and why; 0 when they are still kept
 */
export function standardSink(
  stream: StandardStream,
  onLoss: (lines: number, problem: string) => void,
): LogSink & Required<Pick<LogSink, 'write' | 'flush'>> {
  let attempts = 0
  const out = new SonicBoom({
    fd: stream === 'stderr' ? 2 : 1,
    sync: true,
    contentMode: 'buffer',
    maxLength: mostWaiting,
    retryEAGAIN: () => ++attempts <= retries,
  })
  out.on('write', () => {
    attempts = 0
  })
  out.on('error', (error: Error) => onLoss(0, error.message))
  out.on('drop', (lost: Buffer) => onLoss(lost.toString().split('\n').length - 1, `${stream} is not read`))

  let waiting = ''
  const writeOut = (): void => {
    if (waiting === '') return
    // Bytes, because sonic-boom measures a text twice; its types know texts only.
    out.write(Buffer.from(waiting) as never)
    waiting = ''
  }
  return {
    write(line) {
      waiting += line
      if (waiting.length >= fullBuffer) writeOut()
    },
    flush: writeOut,
  }
}
