import { type Check, registryLogger } from '../checks/index.ts'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { registerEndOfProcess } from '../process-end.ts'
import { errorTrace } from '../safety/index.ts'
import { checkModules } from './check-modules.ts'
import { type HealthEndpoints, healthEndpoints } from './endpoints.ts'
import { type HealthOptions, type HealthSettings, readHealth } from './health-options.ts'
import { fails, Heartbeat, type Results } from './heartbeat.ts'
import { levelLogName } from './log-levels.ts'
import { ownChecks } from './own-checks.ts'
import { versionFile } from './version-file.ts'

/**
 * Makes the endpoints that the adapters serve. Checks are registered with the instance.
 * @throws ConfigurationError naming the option or variable at fault
 */
export function createHealth(box: Deedbox, options: HealthOptions = {}): HealthEndpoints {
  const { notices, redactor, closing } = internalsOf(box)
  const settings = readHealth(options, process.env, box.env)
  for (const each of settings.checks) box.checks.register(each)
  watchSignals(closing)
  const log = box.logger(registryLogger)
  const own = settings.ownChecks ? ownChecks(box) : () => []
  const heartbeat = new Heartbeat({
    ...settings,
    prepare: checkModules(settings.checkModules, box.checks, process.cwd()),
    checks: () => withOwn(box.checks.checks, own()),
    called: name => log.debug(`Calling check ${name}`),
    redact: redactor.text,
    completed(results) {
      try {
        tell(box, settings, results)
      } catch (error) {
        notices.warn('health_failed', 'The results of checks could not be told', { trace: errorTrace(error) })
      }
    },
  })
  const isNobody = settings.token === undefined && settings.authorise === undefined
  if (isNobody && [options.details, options.error].includes('authorised')) {
    notices.warn(
      'health_token',
      'health() is to show something to who is authorised, but nobody is: there is no token. Set DEEDBOX_HEALTH_TOKEN.',
    )
  }
  if (settings.version === undefined) {
    const file = versionFile(settings.versionFolder, settings.versionName)
    settings.metrics?.versionFrom?.(() => {
      const answer = file()
      return answer.kind === 'found' ? JSON.parse(answer.text) : undefined
    })
  }
  const endpointLog = box.logger('deedbox.health')
  return healthEndpoints(
    settings,
    heartbeat,
    (message, fields = {}) => endpointLog.error(message, fields),
    (message, fields = {}) => endpointLog.warning(message, fields),
  )
}

/** The service's own check goes before one of ours of the same name. */
function withOwn(checks: readonly Check[], own: readonly Check[]): readonly Check[] {
  const names = new Set(checks.map(({ name }) => name))
  return [...checks, ...own.filter(({ name }) => !names.has(name))]
}

/** Has each message in the log, also those that are silenced, and the signal given. (DF-21, DF-22, DF-30) */
function tell(box: Deedbox, { failLevel }: HealthSettings, { outcomes, diagnosis }: Results): void {
  const log = box.logger(registryLogger)
  for (const { name, messages, thrown } of outcomes) {
    for (const { level, id, message, hint } of messages) {
      log.log(levelLogName(level), id === undefined ? message : `${id}: ${message}`, {
        check: name,
        ...(hint === undefined ? {} : { hint }),
        ...(thrown === undefined ? {} : { err: thrown }),
      })
    }
  }
  const { level, status } = diagnosis
  internalsOf(box).signals.emit(fails(diagnosis, failLevel) ? 'heartbeatFailed' : 'heartbeatPassed', {
    service: box.service,
    level,
    status,
    report: diagnosis,
    results: outcomes,
  })
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
