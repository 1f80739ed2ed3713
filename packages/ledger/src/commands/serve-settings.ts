import { LedgerError } from '../errors.ts'
import type { MetricsAccess } from '../http/index.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What Kubernetes needs to learn that a process takes no more, in milliseconds. */
const kubernetesDelay = 5_000

/** As Node's timers hold it. */
const longest = 2_147_483_647

/**
 * Milliseconds between the signal to stop and the end of listening, in which the ledger serves on and says that it is
 * not ready: `DEEDBOX_DRAIN_DELAY`, such as `5s`. (Gap 17, ruling 28)
 * @throws LedgerError `invalid_option`
 */
export function drainDelay(environment: Environment): number {
  const text = environment.DEEDBOX_DRAIN_DELAY
  if (!text) return environment.KUBERNETES_SERVICE_HOST ? kubernetesDelay : 0
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?(ms|s)$/.exec(text) ?? []
  const milliseconds = text === '0' ? 0 : Number(amount) * (unit === 's' ? 1_000 : 1)
  if (milliseconds <= longest) return milliseconds
  throw new LedgerError(
    'invalid_option',
    `DEEDBOX_DRAIN_DELAY has to be a time such as 500ms or 5s, or 0, not "${text}".`,
  )
}

/**
 * Who may fetch `/metrics`: `DEEDBOX_METRICS_TOKEN` and `DEEDBOX_PUBLIC_METRICS`.
 * @throws LedgerError `invalid_option`
 */
export function metricsAccess(environment: Environment): MetricsAccess {
  if (isOn(environment, 'DEEDBOX_PUBLIC_METRICS')) return 'everybody'
  const token = environment.DEEDBOX_METRICS_TOKEN || undefined
  if (token === undefined || /^[\x21-\x7e]{16,}$/.test(token)) return { token }
  throw new LedgerError(
    'invalid_option',
    'DEEDBOX_METRICS_TOKEN has to be at least 16 visible ASCII characters.',
  )
}

/**
 * Whether a variable says yes; one that is not set says no.
 * @throws LedgerError `invalid_option` for another word
 */
export function isOn(environment: Environment, name: string): boolean {
  const word = (environment[name] ?? '').trim().toLowerCase()
  if (['', '0', 'false', 'no', 'off'].includes(word)) return false
  if (['1', 'true', 'yes', 'on'].includes(word)) return true
  throw new LedgerError('invalid_option', `${name} is 1 or 0, true or false, yes or no, not "${word}".`)
}
