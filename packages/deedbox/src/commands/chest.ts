import { parseArgs } from 'node:util'
import { exportChest } from './chest-export.ts'
import { chestHelp } from './chest-help.ts'
import { showChest } from './chest-show.ts'
import { UsageError } from './usage-error.ts'

const options = {
  'request-id': { type: 'string' },
  name: { type: 'string' },
  limit: { type: 'string' },
  json: { type: 'boolean' },
  to: { type: 'string' },
  batch: { type: 'string' },
  once: { type: 'boolean' },
  watch: { type: 'boolean' },
  interval: { type: 'string' },
  cron: { type: 'string' },
  'time-zone': { type: 'string' },
  help: { type: 'boolean' },
} as const

/** What an action may be told beside its chest. */
const taken: Readonly<Record<string, readonly string[]>> = {
  show: ['request-id', 'name', 'limit', 'json'],
  export: ['to', 'batch', 'once', 'watch', 'interval', 'cron', 'time-zone'],
}

/** `deedbox chest`. Resolves to the exit code. @throws UsageError */
export async function chest(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) {
    process.stdout.write(chestHelp)
    return 0
  }
  const [action = '', url, ...more] = positionals
  const known = Object.hasOwn(taken, action) ? taken[action] : undefined
  if (known === undefined)
    throw new UsageError(
      `${action === '' ? 'Say what to do' : `"${action}" is unknown`}: show or export. "deedbox chest --help" tells more.`,
    )
  const alien = Object.keys(values).find(option => !known.includes(option))
  if (alien !== undefined) throw new UsageError(`--${alien} is no option of "deedbox chest ${action}".`)
  if (url === undefined || more.length > 0)
    throw new UsageError(`Name one chest: deedbox chest ${action} sqlite:vars.db`)
  return action === 'show' ? showChest(url, values) : exportChest(url, values)
}
