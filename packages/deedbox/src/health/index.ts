export {
  type Check,
  type CheckFunction,
  type CheckOptions,
  type CheckResult,
  check,
  type PlainCheckMessage,
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
export type { BuiltInOptions } from './checks/built-in.ts'
export type { HealthAnswer, HealthEndpoints, HealthRequest } from './endpoints.ts'
export { createHealth } from './health.ts'
export type { Audience, HealthOptions } from './health-options.ts'
export { dockerflowIds } from './ids.ts'
export { type CheckLevelName, type CheckStatus, checkLevels, levelText } from './levels.ts'
export { type CheckRegistry, createRegistry, type RegisterOptions } from './registry.ts'
export type { CheckDetails, CheckOutcome, HealthReport } from './report.ts'
export {
  type HeartbeatListener,
  type HeartbeatSignal,
  type HeartbeatSignals,
  SignalListeners,
} from './signals.ts'
export type { VersionFunction } from './version-file.ts'
