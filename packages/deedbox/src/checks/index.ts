export {
  type Check,
  type CheckFunction,
  type CheckOptions,
  type CheckResult,
  check,
  messagesOf,
  type PlainCheckMessage,
  toCheck,
} from './check.ts'
export {
  CheckMessage,
  type CheckMessageDetails,
  critical,
  debug,
  error,
  info,
  warning,
} from './check-message.ts'
export { dockerflowIds } from './ids.ts'
export {
  type CheckLevelName,
  type CheckStatus,
  checkLevels,
  levelNumber,
  levelText,
} from './levels.ts'
export { type CheckRegistry, createRegistry, type RegisterOptions, registryLogger } from './registry.ts'
export { type CheckDetails, type CheckOutcome, type HealthReport, reportOf } from './report.ts'
export { beginRound, outcomesOf, type RoundSettings, type RunningChecks } from './round.ts'
export {
  type HeartbeatListener,
  type HeartbeatSignal,
  type HeartbeatSignals,
  SignalListeners,
} from './signals.ts'
