import { stripVTControlCharacters } from 'node:util'
import type { Logger } from '../log/index.ts'
import { bridgedLine } from './bridged-line.ts'

type Write = typeof process.stderr.write

/**
 * Makes what `NODE_DEBUG` has Node and `util.debuglog` print lines of a log, with `logger` "debuglog", the section's name
 * as `section`, and the id of the request that it was said in. (FA-55) They are INFO: whoever set the variable wants to
 * see them. Returns how to undo it. Does nothing where the variable is not set.
 *
 * Node prints them by `process.stderr.write`, and nothing else tells of them; so this looks at what is written there, and
 * takes what begins with a section and this process's id. Everything else is written as before.
 */
export function captureDebuglog(log: Logger): () => void {
  if (!process.env.NODE_DEBUG) return () => undefined
  const { stderr } = process
  const own = Object.getOwnPropertyDescriptor(stderr, 'write')
  const { write } = stderr
  const named = log.with({ logger: 'debuglog' })
  let active = true
  let busy = false

  const bridgedDebuglog = function (this: unknown, ...values: unknown[]): boolean {
    const said = active && !busy ? saidIn(values) : undefined
    if (said === undefined) return Reflect.apply(write, this, values)
    busy = true
    try {
      bridgedLine(named, 'info', said.message, undefined, { section: said.section })
    } finally {
      busy = false
    }
    return true
  } as Write
  stderr.write = bridgedDebuglog
  return () => {
    active = false
    if (stderr.write !== bridgedDebuglog) return
    if (own === undefined) delete (stderr as { write?: Write }).write
    else Object.defineProperty(stderr, 'write', own)
  }
}

function saidIn(values: readonly unknown[]): { section: string; message: string } | undefined {
  const [text] = values
  if (values.length !== 1 || typeof text !== 'string') return undefined
  const [, section, pid, message] =
    /^([^\s:]+) (\d+): ([\s\S]*)\n$/.exec(stripVTControlCharacters(text)) ?? []
  if (section === undefined || message === undefined || pid !== String(process.pid)) return undefined
  return section === section.toUpperCase() ? { section: section.toLowerCase(), message } : undefined
}
