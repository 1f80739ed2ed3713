import { resolve } from 'node:path'
import { defaultGuardFolder } from '../sequencer/index.ts'

/** Where this machine keeps its rollback guards (`DEEDBOX_GUARD`, else the user's state folder); null: switched off. */
export function guardFolder(env: NodeJS.ProcessEnv): string | null {
  const guard = env.DEEDBOX_GUARD || defaultGuardFolder(env)
  return guard === 'off' ? null : resolve(guard)
}
