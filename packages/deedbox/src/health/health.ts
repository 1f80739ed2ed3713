import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { type HealthEndpoints, healthEndpoints } from './endpoints.ts'
import { type HealthOptions, readHealth } from './health-options.ts'
import { joinRounds } from './rounds.ts'
import { versionFile } from './version-file.ts'

/**
 * Makes the endpoints that the adapters serve. Checks are registered with the instance, whose rounds all of its
 * `health()` share.
 * @throws ConfigurationError naming the option or variable at fault
 */
export function createHealth(box: Deedbox, options: HealthOptions = {}): HealthEndpoints {
  const { notices } = internalsOf(box)
  const { heartbeat, settings } = joinRounds(box, options, readHealth(options, process.env, box.env))
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
