import { ecsLine } from './ecs.ts'
import { flatLine, type LineFormat } from './line.ts'
import { loguruLine } from './loguru.ts'
import type { Origin } from './members.ts'
import { mozlogLine } from './mozlog.ts'
import { otelLine } from './otel.ts'

/** A format by its name. */
export type FormatName = 'flat' | 'mozlog' | 'ecs' | 'otel' | 'loguru'

const formats: Readonly<Record<FormatName, (origin: Origin) => LineFormat>> = {
  flat: () => flatLine,
  mozlog: ({ service }) => mozlogLine(service),
  ecs: ecsLine,
  otel: otelLine,
  loguru: () => loguruLine,
}

/** All names of formats. */
export const formatNames: readonly FormatName[] = Object.keys(formats) as FormatName[]

/** The format that was chosen: by its name, or one that somebody made. */
export function lineFormat(choice: FormatName | LineFormat, origin: Origin): LineFormat {
  return typeof choice === 'function' ? choice : formats[choice](origin)
}
