import type { Deedbox } from '../instance.ts'
import { findVariable } from '../safety/index.ts'
import type { BuildVersion } from './metrics-options.ts'
import type { MetricLabels } from './prom-client.ts'

/** The labels of `deedbox_build_info`; what is not known is empty. */
export function buildLabels(
  { service, env }: Pick<Deedbox, 'service' | 'env'>,
  { version, commit }: BuildVersion = {},
  environment: Readonly<Record<string, string | undefined>>,
): MetricLabels {
  const named = findVariable(environment, ['DOCKERFLOW_VERSION'])?.value
  return { service, env, version: String(version ?? named ?? ''), commit: String(commit ?? '') }
}
