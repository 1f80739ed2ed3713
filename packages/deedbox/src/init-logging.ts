import { deedbox } from './box.ts'
import { activeInstance } from './default-instance.ts'
import type { Deedbox } from './instance.ts'
import type { DeedboxOptions } from './options.ts'

/**
 * Makes the default instance unless there is one: what a logging set-up of other systems calls `init`, and may call
 * from several files. A second call gives the instance of the first, whatever its options, and doubles no line. (FA-33)
 * @throws ConfigurationError naming the option or variable at fault
 */
export function initLogging(options: DeedboxOptions = {}): Deedbox {
  return activeInstance() ?? deedbox(options)
}
