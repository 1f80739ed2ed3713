import type { LogCall } from '../log/index.ts'
import { isEndedBySignal, registerEndOfProcess } from '../process-end.ts'
import type { RedactionOptions } from '../safety/index.ts'
import { describeConfig } from './describe-config.ts'
import { sentenceOf } from './problems.ts'
import { configWarnings } from './read-config.ts'

/** What lifecycle lines need of an instance. */
export interface LifecycleLog {
  readonly log: { readonly debug: LogCall; readonly info: LogCall; readonly warning: LogCall }
  flush(timeout?: number): Promise<boolean>
}

/** When the lines of a service's life are written. */
export interface LifecycleOptions {
  /**
   * Whether `...shutdown` is written by itself at the end: when the process exits or runs out of work, and on SIGTERM
   * and SIGINT in a process without a handler of its own for them. It still ends by the signal. Default `false`.
   */
  readonly atEnd?: boolean
  /** What `config vars` masks beside the default, if the instance has such options: their names are those of settings. */
  readonly redact?: RedactionOptions
}

/** The lines that tell when a service started and stopped. (FA-32) */
export interface LifecycleLines {
  /** Writes `config vars` at DEBUG, a warning for each variable that nothing reads, and `started...`. */
  started(): void
  /** Writes `...shutdown`, once. */
  stopped(): void
}

/**
 * Makes the lines of a service's life.
 * @param config what `readConfig()` returned; without it there is no `config vars`
 */
export function lifecycleLines(
  box: LifecycleLog,
  config?: object,
  { atEnd = false, redact = {} }: LifecycleOptions = {},
): LifecycleLines {
  let unregister = (): void => {}
  let isOver = false
  const stopped = (): void => {
    if (isOver) return
    isOver = true
    unregister()
    box.log.info('...shutdown')
  }
  return {
    started: () => {
      if (config !== undefined) {
        box.log.debug('config vars', describeConfig(config, redact))
        for (const warning of configWarnings(config)) box.log.warning(sentenceOf(warning))
      }
      box.log.info('started...')
      if (atEnd && !isOver) {
        unregister()
        unregister = stopAtEnd(box, stopped)
      }
    },
    stopped,
  }
}

function stopAtEnd(box: LifecycleLog, stopped: () => void): () => void {
  const unregister = registerEndOfProcess({
    onSignal: true,
    flush: async timeout => {
      if (!isEndedBySignal()) return true
      stopped()
      return box.flush(timeout)
    },
    flushLines: () => {},
    flushSync: () => {},
  })
  // Behind the listener of all instances: from then on lines are written out at once, a closed instance's too.
  process.on('exit', stopped)
  return () => {
    process.off('exit', stopped)
    unregister()
  }
}
