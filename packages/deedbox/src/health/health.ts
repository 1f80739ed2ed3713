import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { registerEndOfProcess } from '../process-end.ts'
import { errorTrace } from '../safety/index.ts'
import { type HealthEndpoints, healthEndpoints } from './endpoints.ts'
import { type HealthOptions, readHealth } from './health-options.ts'
import { fails, Heartbeat, type Results } from './heartbeat.ts'
import { levelLogName } from './log-levels.ts'
import { ownChecks } from './own-checks.ts'

/** Messages of checks stand in the log under this name, as Dockerflow has it. (DF-22) */
const registryLogger = 'dockerflow.checks.registry'

/**
 * Makes the endpoints that the adapters serve. Checks are registered with the instance.
 * @throws ConfigurationError naming the option or variable at fault
 */
export function createHealth(box: Deedbox, options: HealthOptions = {}): HealthEndpoints {
  const { signals, notices, closing } = internalsOf(box)
  const settings = readHealth(options, process.env, box.env)
  for (const each of settings.checks) box.checks.register(each)
  if (settings.ownChecks) for (const each of ownChecks(box)) box.checks.register(each, { replace: true })
  watchSignals(closing)
  const log = box.logger(registryLogger)
  const heartbeat = new Heartbeat({
    checks: () => {
      const { checks } = box.checks
      for (const { name } of checks) log.debug(`Calling check ${name}`)
      return checks
    },
    silenced: settings.silenced,
    timeout: settings.timeout,
    deadline: settings.deadline,
    cache: settings.cache,
    completed(results) {
      try {
        tell(results)
      } catch (error) {
        notices.warn('health_failed', 'The results of checks could not be told', { trace: errorTrace(error) })
      }
    },
  })
  const tell = ({ outcomes, diagnosis }: Results): void => {
    for (const { name, messages, thrown } of outcomes) {
      for (const { level, id, message, hint } of messages) {
        const text = id === undefined ? message : `${id}: ${message}`
        log.log(levelLogName(level), text, {
          check: name,
          ...(hint === undefined ? {} : { hint }),
          ...(thrown === undefined ? {} : { err: thrown }),
        })
      }
    }
    const { level, status } = diagnosis
    signals.emit(fails(diagnosis, settings.failLevel) ? 'heartbeatFailed' : 'heartbeatPassed', {
      service: box.service,
      level,
      status,
      report: diagnosis,
      results: outcomes,
    })
  }
  const own = box.logger('deedbox.health')
  return healthEndpoints(settings, heartbeat, (level, message, fields) =>
    own.log(level, message, fields ?? {}),
  )
}

/**
 * Has SIGTERM and SIGINT noticed also where the instance does not flush on them. A process without a handler of its own
 * still ends by the signal.
 */
function watchSignals(closing: Set<(timeout: number) => Promise<void>>): void {
  const nothing = (): void => undefined
  const unregister = registerEndOfProcess({
    onSignal: true,
    flush: async () => undefined,
    flushLines: nothing,
    flushSync: nothing,
  })
  closing.add(async () => unregister())
}
