import { parseArgs } from 'node:util'
import { exitCodes, type Verdict, type VerifierKey } from '@deedbox/tlog'
import { isExport, isWitnessKey, missingWitnesses } from '../verification/index.ts'
import { readBytes, readCheckpoint, readKey } from './arguments.ts'
import { keepCheckpoint } from './kept-checkpoint.ts'
import { Progress } from './progress.ts'
import { Interrupted, Resumption } from './resumption.ts'
import { UsageError } from './usage-error.ts'
import { verifyHelp } from './verify-help.ts'
import {
  type Given,
  type Outcome,
  verifyExport,
  verifyReceipt,
  verifyStored,
  verifyUrl,
} from './verify-modes.ts'
import { safe } from './verify-texts.ts'

const options = {
  key: { type: 'string', multiple: true },
  data: { type: 'string' },
  ledger: { type: 'string' },
  url: { type: 'string' },
  checkpoint: { type: 'string' },
  'save-checkpoint': { type: 'string' },
  resume: { type: 'string' },
  witness: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** `deedbox verify`. Resolves to the verdict's exit code, or 130 when it was interrupted with its progress saved. */
export async function verify(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) {
    process.stdout.write(verifyHelp)
    return 0
  }
  const [file, ...more] = positionals
  const { data, url } = values
  const named = [file, data, url].filter(target => target !== undefined)
  if (named.length !== 1 || more.length > 0) {
    throw new UsageError(
      'Name one file, or --data and a folder, or --url. "deedbox verify --help" shows how.',
    )
  }
  if (values.resume !== undefined && file !== undefined) {
    throw new UsageError('--resume goes with --data or --url; files are checked at one go.')
  }
  if (values.ledger !== undefined && data === undefined) {
    throw new UsageError('--ledger goes with --data; in --url the ledger is named by its address.')
  }
  const pinned = (values.key ?? []).map(key => readKey('--key', key))
  const witnesses = (values.witness ?? []).map(readWitness)
  const kept = values.checkpoint === undefined ? undefined : readCheckpoint(values.checkpoint)
  const progress = new Progress(process.stderr)
  const resumption = new Resumption(values.resume)
  let outcomes: Outcome[]
  try {
    const given = { pinned, ...(kept === undefined ? {} : { kept }) }
    if (file !== undefined) outcomes = [await verifyFile(file, given, progress)]
    else if (data !== undefined) {
      outcomes = await verifyStored(data, values.ledger, given, resumption, progress)
    } else outcomes = [await verifyUrl(url ?? '', given, resumption, progress)]
  } catch (error) {
    progress.clear()
    if (!(error instanceof Interrupted)) throw error
    process.stderr.write(`deedbox: ${error.message}\n`)
    return 130
  } finally {
    resumption.end()
  }
  progress.clear()
  resumption.done()
  if (values['save-checkpoint'] !== undefined) saveCheckpoint(values['save-checkpoint'], outcomes, kept)
  const judged = outcomes.map(outcome => ({ outcome, witnessed: witnessing(outcome, witnesses, kept) }))
  const texts = judged.map(({ outcome, witnessed }) =>
    values.json ? jsonOf(outcome, witnessed) : textOf(outcome, witnessed),
  )
  process.stdout.write(texts.join(values.json ? '' : '\n'))
  return worstCode(judged.map(({ witnessed }) => witnessed.verdict))
}

/** That a ledger has no entries yet spoils nothing, as long as there was something to check in another one. */
function worstCode(verdicts: readonly Verdict[]): number {
  const codes = verdicts.map(verdict => exitCodes[verdict])
  const some = codes.filter(code => code !== exitCodes.nothing_checked)
  return Math.max(...(some.length === 0 ? codes : some))
}

function verifyFile(file: string, given: Given, progress: Progress): Promise<Outcome> | Outcome {
  readBytes(file, 'file', 1)
  if (isExport(file)) return verifyExport(file, given, progress)
  if (given.kept !== undefined) throw new UsageError('--checkpoint goes with --data, --url or an export.')
  return verifyReceipt(file, given.pinned)
}

function readWitness(argument: string): VerifierKey {
  const key = readKey('--witness', argument)
  if (isWitnessKey(key)) return key
  throw new UsageError(
    `--witness: the key of ${key.name} is not a witness's; its type has to be 4 (cosignature/v1).`,
  )
}

/** Verdicts under which everything that was asked for holds. */
const sound: readonly Verdict[] = ['ok', 'ok_unpinned', 'redacted_ok']

/** What a witness policy came to. */
interface Witnessing {
  verdict: Verdict
  asked: number
  /** Names of those whose cosignature is missing. */
  missing: string[]
}

/** Without a pinned key the verdict stays `ok_unpinned`: that says even less than a missing witness does. */
function witnessing(
  outcome: Outcome,
  witnesses: readonly VerifierKey[],
  kept: string | undefined,
): Witnessing {
  const { verdict, checkpoint } = outcome
  const notes = [checkpoint, ...(kept === undefined ? [] : [kept])]
  const missing = sound.includes(verdict) ? missingWitnesses(notes, witnesses).map(({ name }) => name) : []
  const isShort = missing.length > 0 && verdict !== 'ok_unpinned'
  return { verdict: isShort ? 'ok_unwitnessed' : verdict, asked: witnesses.length, missing }
}

/** What stays open is said wherever a verdict is shown. */
function textOf(
  { verdict, lines, proved, notProved }: Outcome,
  { verdict: final, asked, missing }: Witnessing,
): string {
  const text = [final, ...lines]
  if (sound.includes(verdict)) {
    const same = 'That everybody is shown this same history: '
    const witnessed =
      missing.length > 0 ? `${safe(missing.join(', '))} has not signed it.` : 'no witness has signed it.'
    if (asked > 0 && missing.length === 0)
      text.push(`  witnesses   ${asked}, and all of them signed this history`)
    text.push(`  proved      ${proved}`)
    const open = [
      ...(asked > 0 && missing.length === 0 ? [] : [same + witnessed]),
      ...(verdict === 'ok_unpinned'
        ? ['Whose key this is: it came with the data. Give the one you know with --key.']
        : []),
      ...notProved,
    ]
    text.push(...open.map((line, i) => (i === 0 ? `  not proved  ${line}` : `              ${line}`)))
  }
  return `${text.join('\n')}\n`
}

function jsonOf({ report }: Outcome, { verdict, ...witnesses }: Witnessing): string {
  return `${JSON.stringify({ ...report, verdict, ...(witnesses.asked > 0 ? { witnesses } : {}) })}\n`
}

function saveCheckpoint(
  file: string,
  [first, ...others]: readonly Outcome[],
  kept: string | undefined,
): void {
  const isOne = first !== undefined && others.length === 0
  if (isOne && sound.includes(first.verdict) && first.checkpoint !== '') {
    process.stderr.write(`deedbox: ${keepCheckpoint(file, first.checkpoint, kept)}\n`)
    return
  }
  const why = isOne
    ? 'only a checkpoint that holds is kept'
    : 'the file holds several ledgers, name one of them with --ledger'
  process.stderr.write(`deedbox: ${file} was not written: ${why}.\n`)
}
