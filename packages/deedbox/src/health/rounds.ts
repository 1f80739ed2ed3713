import { type Check, type CheckOutcome, registryLogger, reportOf } from '../checks/index.ts'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { registerEndOfProcess } from '../process-end.ts'
import { ConfigurationError, errorTrace } from '../safety/index.ts'
import { checkModules } from './check-modules.ts'
import type { HealthOptions, HealthSettings } from './health-options.ts'
import { fails, Heartbeat } from './heartbeat.ts'
import { levelLogName } from './log-levels.ts'
import { ownChecks } from './own-checks.ts'

/** What all `health()` of an instance have in common, because a round answers all of them. */
const common = ['timeout', 'deadline', 'cache', 'ownChecks'] as const

type Common = Pick<HealthSettings, (typeof common)[number]>

/** The rounds of checks of an instance. */
interface Rounds {
  readonly heartbeat: Heartbeat
  readonly common: Common
  /** Has the checks of modules imported before the next round, of each module once. */
  bring(specifiers: readonly string[]): void
}

const known = new WeakMap<object, Rounds>()

/**
 * The heartbeat of an instance, however often `health()` is called with it, and the settings as they hold with it: the
 * first call says how rounds are run and what signals go by. (DF-13, DF-18)
 * @throws ConfigurationError for a later call that says it otherwise, and for a check whose name is taken
 */
export function joinRounds(
  box: Deedbox,
  options: HealthOptions,
  given: HealthSettings,
): { readonly heartbeat: Heartbeat; readonly settings: HealthSettings } {
  const { identity } = internalsOf(box)
  const rounds = known.get(identity)
  for (const name of common) {
    if (rounds === undefined || options[name] === undefined || given[name] === rounds.common[name]) continue
    throw new ConfigurationError(
      name,
      `all health() of an instance share its rounds of checks, and the first has ${rounds.common[name]}. Leave it out here, or say the same.`,
    )
  }
  for (const each of given.checks) if (!isRegistered(box, each)) box.checks.register(each)
  const joined = rounds ?? makeRounds(box, given)
  known.set(identity, joined)
  joined.bring(given.checkModules)
  return { heartbeat: joined.heartbeat, settings: { ...given, ...joined.common } }
}

/** Whether it is there by another `health()` that was given the same. */
function isRegistered(box: Deedbox, { name, run, timeout, readiness }: Check): boolean {
  return box.checks.checks.some(
    each =>
      each.name === name && each.run === run && each.timeout === timeout && each.readiness === readiness,
  )
}

function makeRounds(box: Deedbox, settings: HealthSettings): Rounds {
  const { notices, redactor, closing } = internalsOf(box)
  const { timeout, deadline, cache } = settings
  watchSignals(closing)
  const log = box.logger(registryLogger)
  const own = settings.ownChecks ? ownChecks(box) : () => []
  const modules = new Set<string>()
  const imports: ReturnType<typeof checkModules>[] = []
  const heartbeat = new Heartbeat({
    timeout,
    deadline,
    cache,
    prepare: time => Promise.all(imports.map(begin => begin(time))),
    checks: () => withOwn(box.checks.checks, own()),
    called: name => log.debug(`Calling check ${name}`),
    redact: redactor.text,
    completed(outcomes) {
      try {
        tell(box, settings, outcomes)
      } catch (error) {
        notices.warn('health_failed', 'The results of checks could not be told', { trace: errorTrace(error) })
      }
    },
  })
  return {
    heartbeat,
    common: { timeout, deadline, cache, ownChecks: settings.ownChecks },
    bring(specifiers) {
      const added = specifiers.filter(each => !modules.has(each))
      for (const each of added) modules.add(each)
      if (added.length > 0) imports.push(checkModules([...new Set(added)], box.checks, process.cwd()))
    },
  }
}

/** The service's own check goes before one of ours of the same name. */
function withOwn(checks: readonly Check[], own: readonly Check[]): readonly Check[] {
  const names = new Set(checks.map(({ name }) => name))
  return [...checks, ...own.filter(({ name }) => !names.has(name))]
}

/** Has each message in the log, also those that are silenced, and the signal given. (DF-21, DF-22, DF-30) */
function tell(
  box: Deedbox,
  { failLevel, silenced }: HealthSettings,
  outcomes: readonly CheckOutcome[],
): void {
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
  const report = reportOf(outcomes, silenced)
  const { level, status } = report
  internalsOf(box).signals.emit(fails(report, failLevel) ? 'heartbeatFailed' : 'heartbeatPassed', {
    service: box.service,
    level,
    status,
    report,
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
