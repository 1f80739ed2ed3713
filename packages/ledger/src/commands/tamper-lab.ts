import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { LedgerError } from '../errors.ts'
import { makeFolder } from '../make-folder.ts'
import { sentenceOf } from '../store/index.ts'
import {
  type Attack,
  attacks as allAttacks,
  isAllAsExpected,
  reportJson,
  reportText,
  runExperiment,
} from '../tamper-lab/index.ts'
import type { CommandTools } from './command.ts'
import { verifyFolder } from './verify-folder.ts'

/** `deedbox tamper-lab --help`. */
const tamperLabHelp = `Usage: deedbox tamper-lab [options]

Makes a throw-away ledger, attacks copies of it in every way that we know of, lets the real verification look at each,
and prints what caught it, what did not, and what it takes. It meets no ledger, key or guard of yours.

Options
  --keep <folder>  keeps the ledgers, attacked and not, in this folder, which has to be new or empty; without it they
                   lie in a temporary folder that is removed at the end
  --json           one JSON object for each attack, the untouched ledger first
  --help           this text

Exit codes
  0  each attack was noticed by those who have to notice it, and by nobody else
  1  that is not so (the lines at the end say where), or the command failed
  2  it was called wrongly

Examples
  deedbox tamper-lab
  deedbox tamper-lab --keep lab
  deedbox tamper-lab --json
`

const endingSignals = ['SIGINT', 'SIGTERM'] as const

/**
 * Runs the laboratory. Resolves to the exit code: 0 when every means said what it has to say of each attack.
 *
 * @param attacks what is done; every attack by default
 * @throws LedgerError `invalid_usage` when the folder to keep holds something, `storage_failed`
 */
export async function tamperLab(
  args: string[],
  tools: CommandTools,
  attacks: readonly Attack[] = allAttacks,
): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { keep: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help) {
    process.stdout.write(tamperLabHelp)
    return 0
  }
  const kept = values.keep === undefined ? undefined : emptyFolder(values.keep)
  const interrupted = new AbortController()
  // Before the folder is there, so that no signal leaves it behind.
  const removeListeners = abortOnSignals(interrupted)
  const folder = kept ?? temporaryFolder()
  try {
    const experiment = await runExperiment({
      folder,
      attacks,
      verify: verifyFolder,
      signal: interrupted.signal,
      onProgress: (done, total) => tools.progress('attacks', done, total),
    })
    tools.progressEnd()
    const { stdout } = process
    const table = () =>
      reportText(experiment, { width: stdout.columns ?? 80, colours: stdout.isTTY && stdout.hasColors() })
    stdout.write(values.json ? reportJson(experiment) : table())
    if (kept !== undefined && !values.json) stdout.write(keptText(kept))
    return isAllAsExpected(experiment) ? 0 : 1
  } catch (error) {
    const signal = endingSignals.find(signal => signal === error)
    if (signal === undefined) throw error
    tools.progressEnd()
    process.stderr.write(`deedbox: ${signal} ended the laboratory before its last attack.\n`)
    return 128 + constants.signals[signal]
  } finally {
    removeListeners()
    if (kept === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

/** The first SIGINT or SIGTERM ends the experiment between two attacks, so that the folder is removed. */
function abortOnSignals(controller: AbortController): () => void {
  const abort = (signal: NodeJS.Signals) => controller.abort(signal)
  for (const signal of endingSignals) process.once(signal, abort)
  return () => {
    for (const signal of endingSignals) process.off(signal, abort)
  }
}

function emptyFolder(name: string): string {
  const folder = resolve(name)
  try {
    makeFolder(folder)
    if (readdirSync(folder).length === 0) return folder
  } catch (cause) {
    throw new LedgerError('invalid_usage', `--keep: ${folder} cannot be used: ${sentenceOf(cause)}.`, {
      cause,
    })
  }
  throw new LedgerError(
    'invalid_usage',
    `--keep: ${folder} is not empty, and the laboratory touches nothing that is there. Name a new folder.`,
  )
}

function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'deedbox-tamper-lab-'))
  } catch (cause) {
    throw new LedgerError('storage_failed', `No temporary folder can be made: ${sentenceOf(cause)}.`, {
      cause,
    })
  }
}

function keptText(folder: string): string {
  const verify = (attack: string) =>
    `  DEEDBOX_GUARD=off npx deedbox verify --data '${join(folder, attack, 'data')}' --key '${join(folder, 'kept', 'ledger.vkey')}'`
  return `
Kept in ${folder}: the untouched ledger, its backup, what people kept, and a folder for each attack. To look yourself:

${verify('edit-payload')}
${verify('rewrite-as-operator')} --checkpoint '${join(folder, 'kept', 'kept.checkpoint')}'
  DEEDBOX_GUARD='${join(folder, 'restore', 'guard')}' npx deedbox serve --data '${join(folder, 'restore', 'data')}'
`
}
