export { type AuditGate, type AuditMode, auditModes, type Routed } from './audit-gate.ts'
export { type ClientAddress, clientAddressResolver, type TrustProxy } from './client-address.ts'
export { isoMicroseconds, monotonicNow, secondsText, setClock, toSeconds, wallMicroseconds } from './clock.ts'
export { bindToScope, currentScope, runInScope, runOutside, scopeOfBox } from './context.ts'
export type { Change, EventDetails, Party } from './event-details.ts'
export { headerName } from './header-table.ts'
export {
  createIdGenerator,
  type IdGenerator,
  type IdSource,
  type InboundIdPolicy,
  setIdSource,
  uuid4,
  uuid7,
} from './ids.ts'
export { type Job, runJob } from './job.ts'
export { createLifecycle, type Lifecycle, type LifecycleSettings } from './lifecycle.ts'
export { type Propagation, propagationTest, registerPropagation } from './propagation.ts'
export type { BodyFacts, Failure, JobRecord, Outcome, RequestRecord } from './record.ts'
export { canHold } from './response-hold.ts'
export { type RequestScope, scopeOfError } from './scope.ts'
export type { RuleInUse, ScopeRule, TrackingGate } from './scope-rules.ts'
export { defaultSkipPaths, type SkipPath, skipsHealth, skipTest } from './skip-paths.ts'
export { keepTickShape } from './tick-shape.ts'
export type { TraceContext } from './trace-context.ts'
export { endTurns, TurnQueue } from './turn-queue.ts'
