import { ecsLine } from './ecs.ts'
import { flatLineWith, type LineFormat } from './line.ts'
import { loguruLine } from './loguru.ts'
import type { Origin } from './members.ts'
import { type MozlogOptions, mozlogLine } from './mozlog.ts'
import { otelLine } from './otel.ts'

/** The names by which formats are chosen. */
export const namedFormats = ['flat', 'mozlog', 'ecs', 'otel', 'loguru'] as const

/** What may be chosen about formats beside their name. */
export interface FormatDetails {
  /** In `flat`, the zone of `timestamp`: `utc`, or `local` for that of the process. Default `utc`. (FA-03) */
  readonly offset?: 'utc' | 'local' | undefined
  /** What may be chosen in `mozlog`. */
  readonly mozlog?: MozlogOptions | undefined
  /** In `ecs`, the key under which fields stand that the schema has no name for. Default `deedbox`. */
  readonly ecsKey?: string | undefined
}

/** The format with this name. */
export function namedFormat(name: (typeof namedFormats)[number], facts: Origin & FormatDetails): LineFormat {
  switch (name) {
    case 'flat':
      return flatLineWith(facts)
    case 'mozlog':
      return mozlogLine(facts.service, facts.mozlog)
    case 'ecs':
      return ecsLine({ ...facts, under: facts.ecsKey })
    case 'otel':
      return otelLine(facts)
    case 'loguru':
      return loguruLine
  }
}
