import { writeSync } from 'node:fs'
import { runOutside } from '../../request/index.ts'
import { errorMessage } from '../../safety/index.ts'
import type { LogSink, LossListener, StandardStream } from '../sink.ts'
import { lineCount, TextBytes } from './text-bytes.ts'

/** Characters that are collected, at most, before they are written in the middle of a turn. */
const fullBuffer = 65_536

/** What may wait while the reader of the stream does not read; lines beyond it are lost and counted. */
const mostWaiting = 16 * 1024 * 1024

/** How often a full pipe is tried again in one go, and the milliseconds between two tries. */
const retries = 10
const pause = 100

/** Nothing ever wakes this up: it is what a synchronous pause waits on. */
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * Writes lines to stderr or stdout, synchronously, the lines of one turn of the event loop with one system call.
 * No line waits when the next turn begins, so only a death inside the turn (SIGKILL, a crash of the runtime) can
 * lose any.
 * @param onLoss told how many lines were lost, and why; 0 when they are still kept
 */
export function standardSink(stream: StandardStream, onLoss: LossListener): LogSink & { flush(): void } {
  const fd = stream === 'stderr' ? 2 : 1
  const bytes = new TextBytes()
  let waiting = ''
  /** What the stream did not take the last time; goes before all that waits. */
  let rest: Buffer | undefined
  let isTryingAgain = false

  const tryAgain = (): void => {
    isTryingAgain = false
    writeOut(0)
  }
  const giveUp = (left: Buffer, error: unknown): void => {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EPIPE' || code === 'EBADF') {
      // Nobody will ever read it.
      rest = undefined
      onLoss(lineCount(left), errorMessage(error))
      return
    }
    // A copy, because the buffer is used again. It must not wait for the next line of the service.
    rest = Buffer.from(left)
    if (!isTryingAgain) {
      isTryingAgain = true
      runOutside(() => setTimeout(tryAgain, pause).unref())
    }
    onLoss(0, errorMessage(error))
  }
  /** Whether all of it is written. */
  const writeAll = (all: Buffer, tries: number): boolean => {
    let left = all
    let failed = 0
    while (left.length > 0) {
      try {
        const written = writeSync(fd, left, 0, left.length)
        left = left.subarray(written)
        failed = 0
      } catch (error) {
        const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN'
        if (!isFull || failed++ >= tries) {
          giveUp(left, error)
          return false
        }
        Atomics.wait(sleeper, 0, 0, pause)
      }
    }
    return true
  }
  const writeOut = (tries: number): void => {
    if (rest !== undefined) {
      const older = rest
      rest = undefined
      if (!writeAll(older, tries) && rest !== undefined) return
    }
    if (waiting === '') return
    const text = waiting
    waiting = ''
    writeAll(bytes.encode(text), tries)
  }
  return {
    write(line) {
      if (rest !== undefined && rest.length + waiting.length + line.length > mostWaiting) {
        onLoss(1, `${stream} is not read`)
        return
      }
      waiting += line
      // Behind a rest, each line would be a try of its own, with all its pauses.
      if (waiting.length >= fullBuffer && rest === undefined) writeOut(retries)
    },
    flush: () => writeOut(retries),
  }
}
