import { threadId } from 'node:worker_threads'
import { isoMicroseconds } from '../request/index.ts'
import { errorMessage, errorName, quote } from '../safety/index.ts'
import type { LineFormat } from './line.ts'
import { placeFields, placeOf, renderedMembers } from './members.ts'

/** The signs of the levels, as Loguru has them; a level of the service's own has a blank, as there. */
const icons: ReadonlyMap<string, string> = new Map([
  ['TRACE', '✏️'],
  ['DEBUG', '🐞'],
  ['INFO', 'ℹ️'],
  ['SUCCESS', '✅'],
  ['WARNING', '⚠️'],
  ['ERROR', '❌'],
  ['CRITICAL', '☠️'],
])

/** Lines end with it on every system, as they do there. */
const lineEnd = '\n'

/**
 * The envelope that Loguru writes with `serialize=True`: `text`, the line as a person reads it, and `record`. For those
 * whose tools read it; the flat format says the same in a third of the bytes. (FA-54)
 *
 * What Node has no counterpart for is filled in: `process.name` is always `MainProcess`; `thread` is the worker's
 * number, `MainThread` or `Worker-N`; `file.path` is the file's name without its folder, as in `source`; `module` is
 * that without its extension; `name` is the named logger's, else the module. Without a source, function and file are
 * `<unknown>`, the line is 0 and the name null, as there. `exception.traceback` says that there is one; its text ends
 * `text`. Times are in UTC. The request id and the fields stand in `extra`; a field that is named like a member of the
 * line goes under `extra.fields`.
 */
export const loguruLine: LineFormat = (head, serializer, fields, exception, onCollision) => {
  const extra = new Map(renderedMembers(head))
  const taken = new Set(extra.keys())
  placeFields(
    serializer,
    fields,
    (name, json) => {
      if (taken.has(name)) return false
      extra.set(name, json)
      return true
    },
    onCollision,
  )
  const { file, functionName = '<unknown>', line = 0 } = placeOf(head.source ?? '<unknown>')
  const module = file.replace(/\.[^.]*$/, '')
  const name = head.logger ?? (head.source === undefined ? undefined : module)
  const iso = isoMicroseconds(head.instant)
  const said = `${iso.slice(0, 23).replace('T', ' ')} | ${head.level.padEnd(8)} | ${name ?? 'None'}:${functionName}:${line} - `
  const text = said + head.message + (exception === undefined ? '' : `${lineEnd}${exception}`) + lineEnd
  const members = [...extra].map(([key, json]) => `${quote(key)}:${json}`)
  return (
    `{"text":${serializer.text(text)},"record":{"elapsed":${elapsed(head.instant)}` +
    `,"exception":${exceptionOf(head.failure?.thrown, head.failure !== undefined, exception, serializer.text)}` +
    `,"extra":{${members.join(',')}},"file":{"name":${quote(file)},"path":${quote(file)}}` +
    `,"function":${quote(functionName)}` +
    `,"level":{"icon":"${icons.get(head.level) ?? ' '}","name":${quote(head.level)},"no":${head.number}}` +
    `,"line":${line},"message":${serializer.message(head.message)},"module":${quote(module)}` +
    `,"name":${name === undefined ? 'null' : quote(name)},"process":{"id":${process.pid},"name":"MainProcess"}` +
    `,"thread":{"id":${threadId},"name":"${threadId === 0 ? 'MainThread' : `Worker-${threadId}`}"}` +
    `,"time":{"repr":"${iso.replace('T', ' ')}+00:00","timestamp":${head.instant / 1_000_000}}}}`
  )
}

function exceptionOf(
  thrown: unknown,
  isThrown: boolean,
  exception: string | undefined,
  json: (text: string) => string,
): string {
  if (!isThrown && exception === undefined) return 'null'
  const type = isThrown ? json(errorName(thrown)) : 'null'
  const value = isThrown ? json(errorMessage(thrown)) : 'null'
  return `{"type":${type},"value":${value},"traceback":${exception !== undefined}}`
}

/** The time since the process started, as Python writes a duration: `1 day, 0:00:04.004474`. */
function elapsed(instant: number): string {
  const microseconds = Math.max(0, instant - Math.round(performance.timeOrigin * 1000))
  const days = Math.floor(microseconds / 86_400_000_000)
  const rest = microseconds - days * 86_400_000_000
  // The clock of an instant within one day: hours without a leading zero, and no fraction where there is none.
  const clock = isoMicroseconds(rest).slice(11).replace(/^0/, '').replace(/\.0+$/, '')
  const before = days === 0 ? '' : `${days} day${days === 1 ? '' : 's'}, `
  return `{"repr":"${before}${clock}","seconds":${microseconds / 1_000_000}}`
}
