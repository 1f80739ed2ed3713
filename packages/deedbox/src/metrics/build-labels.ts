import type { Deedbox } from '../instance.ts'
import { findVariable } from '../safety/index.ts'
import type { MetricLabels } from './prom-client.ts'

/** What a version object says, whatever it is. */
export interface BuildFacts {
  readonly version?: unknown
  readonly commit?: unknown
}

/** The labels of `deedbox_build_info`; what is not known is empty. */
export function buildLabels(
  { service, env }: Pick<Deedbox, 'service' | 'env'>,
  { version, commit }: BuildFacts = {},
  environment: Readonly<Record<string, string | undefined>>,
): MetricLabels {
  const named = findVariable(environment, ['DOCKERFLOW_VERSION'])?.value
  return { service, env, version: String(version ?? named ?? ''), commit: String(commit ?? '') }
}
