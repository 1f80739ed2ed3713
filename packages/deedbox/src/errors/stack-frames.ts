import { fileURLToPath } from 'node:url'

/** One frame as V8 writes it, its place not yet traced back through source maps. */
export interface StackFrame {
  /** A path where the frame has a file, else what V8 says in its place: `<anonymous>`, `node:fs`, `native`. */
  readonly file: string
  /** From 1; `undefined` for what has no source. */
  readonly line: number | undefined
  readonly column: number | undefined
  /** As V8 names it, with `async ` and `new ` before it: `async Orders.place`, `new Cart`. */
  readonly function: string
}

/** Stacks are texts of anybody's making: neither this many characters nor lines are exceeded. */
const longestStack = 262_144
const longestLine = 4_096

const atPlace = /^(.*?):(\d{1,9})(?::(\d{1,9}))?$/s
/** Where the code stands that called `eval`; of several, the innermost that has a file. */
const inEval = /\((?!eval at )([^\n]*?:\d{1,9}:\d{1,9})\)/

/**
 * The frames of a stack, innermost first.
 * @param message what stands before the frames, since it may look like one
 * @param most how many frames are read
 */
export function stackFrames(stack: string, message: string, most: number): StackFrame[] {
  const told = message === '' ? -1 : stack.indexOf(message)
  const first = stack.indexOf('\n')
  // The message is in the stack's first line, behind the name, or it was changed since.
  const start = told >= 0 && (first < 0 || told <= first) ? told + message.length : 0
  const frames: StackFrame[] = []
  for (const line of stack.slice(start, start + longestStack).split('\n')) {
    if (frames.length >= most) break
    const found = /^\s{1,32}at (?=\S)/.exec(line.slice(0, 64))
    if (found !== null) frames.push(frameOf(line.slice(found[0].length, longestLine).trimEnd()))
  }
  return frames
}

function frameOf(written: string): StackFrame {
  const opening = written.endsWith(')') ? written.indexOf(' (') : -1
  if (opening >= 0) return placed(written.slice(0, opening), written.slice(opening + 2, -1))
  // Without a function there is only the place: `at async file:///a.js:1:2`.
  return written.startsWith('async ')
    ? placed('async <anonymous>', written.slice(6))
    : placed('<anonymous>', written)
}

function placed(name: string, place: string): StackFrame {
  const where = place.startsWith('eval at ') ? (inEval.exec(place)?.[1] ?? '<eval>') : place
  const parts = atPlace.exec(where)
  const [, file = where, line, column] = parts ?? []
  return {
    file: filePath(file),
    line: line === undefined ? undefined : Number(line),
    column: column === undefined ? undefined : Number(column),
    function: name,
  }
}

/** A file's path, whether it was a `file:` URL or a path already; other addresses as they are. */
export function filePath(file: string): string {
  if (!file.startsWith('file:')) return file
  try {
    return fileURLToPath(file, { windows: /^file:\/{3}[a-z]:/i.test(file) })
  } catch {
    return file
  }
}
