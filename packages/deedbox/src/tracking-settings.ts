import type { SpoolChoice } from './audit/index.ts'
import type { DeedboxOptions } from './options.ts'
import type { SerializerLimits } from './safety/index.ts'
import { type Chest, checkChests, type TrackingRule, trackingRule } from './tracking/index.ts'

/** The part of an instance's settings that is about tracked variables. */
export interface TrackingSettings {
  readonly chests: readonly Chest[]
  readonly rule: TrackingRule
  readonly spool: SpoolChoice
}

/** A variable is stored as it is, up to what no database takes in one field. */
export const wholeValues: SerializerLimits = {
  depth: 100,
  entries: 1_000_000,
  textLength: 16 * 1024 * 1024,
  totalLength: 32 * 1024 * 1024,
}

/**
 * Reads what is tracked, and where to.
 * @throws ConfigurationError
 */
export function readTracking(
  { chests = [], tracked }: Pick<DeedboxOptions, 'chests' | 'tracked'>,
  spool: SpoolChoice,
): TrackingSettings {
  checkChests(chests, 'chests')
  return { chests, rule: trackingRule({ vars: tracked }, 'tracked'), spool }
}
