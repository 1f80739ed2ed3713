import { type InstanceMode, instanceModes, type RouteModes, routeModes } from './audit/index.ts'
import type { AuditOptions } from './options.ts'
import { type AuditGate, canHold } from './request/index.ts'
import { ConfigurationError, errorMessage, findVariable } from './safety/index.ts'

/** The modes of an instance's events, checked. */
export interface AuditModeSettings {
  readonly mode: InstanceMode
  /** The mode of a request; absent where all are `open`. */
  readonly modeOf: AuditGate['modeOf']
  /** Routes that have a mode and that no request has met so far. */
  readonly unmetRoutes: () => string[]
}

const variableName = 'DEEDBOX_AUDIT_MODE'

/**
 * Reads the modes of audit events. (Ruling 1)
 * @param hasLedger whether there is a ledger that could acknowledge events
 * @throws ConfigurationError naming the option or variable at fault
 */
export function readAuditModes(
  options: AuditOptions,
  environment: Readonly<Record<string, string | undefined>>,
  hasLedger: boolean,
): AuditModeSettings {
  const { modes = {} } = options
  const variable = options.mode === undefined ? findVariable(environment, [variableName]) : undefined
  const setting = variable === undefined ? 'audit.mode' : variableName
  const mode = knownMode(setting, options.mode ?? variable?.value ?? 'open')
  const { modeOf, unmet: unmetRoutes } = readRoutes(mode, modes)
  if (mode === 'off') return { mode, modeOf, unmetRoutes }
  const [closedRoute] = Object.entries(modes).find(([, wanted]) => wanted === 'closed') ?? []
  const closed = mode === 'closed' ? setting : closedRoute === undefined ? undefined : 'audit.modes'
  if (closed !== undefined && !hasLedger) {
    throw new ConfigurationError(
      closed,
      'closed needs a ledger that acknowledges events, and none is configured. ' +
        'Set DEEDBOX_URL and DEEDBOX_API_KEY, or the option ledger; or use open.',
    )
  }
  const held = mode === 'buffer' ? setting : (closed ?? (usesBuffer(modes) ? 'audit.modes' : undefined))
  if (held !== undefined && !canHold())
    throw new ConfigurationError(held, 'this version of Node lacks what buffer and closed need. Use open.')
  return { mode, modeOf, unmetRoutes }
}

function readRoutes(mode: InstanceMode, modes: NonNullable<AuditOptions['modes']>): RouteModes {
  try {
    return routeModes(mode, modes)
  } catch (error) {
    throw new ConfigurationError('audit.modes', errorMessage(error))
  }
}

function usesBuffer(modes: NonNullable<AuditOptions['modes']>): boolean {
  return Object.values(modes).includes('buffer')
}

function knownMode(setting: string, given: string): InstanceMode {
  const mode = instanceModes.find(each => each === given)
  if (mode !== undefined) return mode
  throw new ConfigurationError(setting, `"${given}" is unknown. Use ${instanceModes.join(', ')}.`)
}
