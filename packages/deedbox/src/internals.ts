import type { Auditor } from './audit/index.ts'
import type { SignalListeners } from './checks/index.ts'
import type { LogWriter, Notices } from './log/index.ts'
import type { Lifecycle } from './request/index.ts'
import type { Redactor } from './safety/index.ts'
import type { Tracker } from './tracking/index.ts'

/** What framework adapters and the free functions need of an instance beyond its public face. */
export interface Internals {
  /** What the instance's scopes carry as their box. */
  readonly identity: object
  readonly lifecycle: Lifecycle
  readonly writer: LogWriter
  readonly notices: Notices
  readonly redactor: Redactor
  readonly auditor: Auditor
  readonly tracker: Tracker
  readonly signals: SignalListeners
  /** What `close` stops first, given the milliseconds that are left. None of it rejects. */
  readonly closing: Set<(timeout: number) => Promise<void>>
}

/** Under this name an instance keeps its internals; another copy of this package finds them too. (Ruling 3) */
export const internalsKey: unique symbol = Symbol.for('deedbox.internals.1') as never

/**
 * The internals of an instance.
 * @throws TypeError for anything that `deedbox()` did not make
 */
export function internalsOf(box: object): Internals {
  const internals: unknown =
    typeof box === 'object' && box !== null ? Reflect.get(box, internalsKey) : undefined
  if (internals === undefined)
    throw new TypeError('This takes what deedbox() returned, for instance: observe(deedbox({ … }))')
  return internals as Internals
}
