export {
  type Check,
  type CheckDetails,
  type CheckFunction,
  type CheckLevelName,
  CheckMessage,
  type CheckMessageDetails,
  type CheckOptions,
  type CheckOutcome,
  type CheckRegistry,
  type CheckResult,
  type CheckStatus,
  check,
  checkLevels,
  createRegistry,
  critical,
  debug,
  dockerflowIds,
  error,
  type HealthReport,
  type HeartbeatListener,
  type HeartbeatSignal,
  type HeartbeatSignals,
  info,
  levelText,
  type PlainCheckMessage,
  type RegisterOptions,
  warning,
} from '../checks/index.ts'
export type { HealthAnswer, HealthRequest } from './answers.ts'
export type { BuiltInOptions } from './built-in/built-in.ts'
export type { HealthEndpoints } from './endpoints.ts'
export { createHealth } from './health.ts'
export type { Audience, HealthOptions } from './health-options.ts'
export type { VersionFunction } from './version-endpoint.ts'
