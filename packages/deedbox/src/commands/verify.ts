import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  checkReceipt,
  decodeUtf8,
  exitCodes,
  parseVerifierKey,
  parts,
  type ReceiptReport,
  TlogError,
  type Verdict,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { type DataReport, loadLedger } from './ledger-package.ts'
import { Progress } from './progress.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: deedbox verify <receipt.tlog-proof> --key <verifier key>
       deedbox verify --data <folder> --key <verifier key> [--ledger <name>] [--checkpoint <file>]

Checks a receipt offline, or re-reads everything in a ledger's data folder: every leaf, every stored part, every
search column and index, every tile, every published checkpoint, idempotency and API keys.

Options
  --key <key>          the ledger's verifier key, or a file that holds it; may be given several times.
                       Without it the key that comes with the data is used, and the verdict is at best ok_unpinned
  --data <folder>      the data folder of a ledger, or its database file (it may be running)
  --ledger <name>      only this ledger of the file. Without it all of them are verified, each against the --key whose
                       name is its origin, and the worst verdict decides the exit code
  --checkpoint <file>  a checkpoint that you kept: the ledger has to extend it. So it has to extend the one in this
                       machine's rollback guard, if there is one (DEEDBOX_GUARD: its folder, or "off")
  --json               the report as one JSON object
  --help               this text

Exit codes
${Object.entries(exitCodes)
  .map(([verdict, code]) => `  ${String(code).padStart(2)}  ${verdict}`)
  .join('\n')}
   1  the command failed      2  it was called wrongly

Examples
  deedbox verify receipt.tlog-proof --key 'ledger.example/acme+f1d8e151+AQOh…'
  deedbox verify --data .deedbox --key ledger.vkey --checkpoint last-month.checkpoint
`

/** `deedbox verify`. Resolves to the verdict's exit code. */
export async function verify(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      key: { type: 'string', multiple: true },
      data: { type: 'string' },
      ledger: { type: 'string' },
      checkpoint: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const pinned = (values.key ?? []).map(readKey)
  const [file, ...more] = positionals
  if ((file === undefined) === (values.data === undefined) || more.length > 0) {
    throw new UsageError('Name one receipt, or --data and a folder. "deedbox verify --help" shows how.')
  }
  if (file !== undefined) {
    if (values.checkpoint !== undefined) throw new UsageError('--checkpoint goes with --data.')
    if (values.ledger !== undefined) throw new UsageError('--ledger goes with --data.')
    const report = readReceipt(file, pinned)
    process.stdout.write(values.json ? receiptJson(report) : receiptText(report))
    return exitCodes[report.verdict]
  }
  const progress = new Progress(process.stderr)
  const ledgers = await loadLedger('verify --data')
  const options = {
    folder: values.data ?? '',
    pinned,
    onProgress: (checked: number, size: number) => progress.show('entries re-read', checked, size),
    ...(values.checkpoint === undefined ? {} : { kept: readText(values.checkpoint, 'checkpoint') }),
  }
  const reports =
    values.ledger === undefined
      ? ledgers.verifyEveryLedger(options)
      : [ledgers.verifyFolder({ ...options, ledger: values.ledger })]
  progress.clear()
  const text = values.json ? (report: DataReport) => `${JSON.stringify(report)}\n` : dataText
  process.stdout.write(reports.map(text).join(values.json ? '' : '\n'))
  return worstCode(reports)
}

/** That a ledger has no entries yet spoils nothing, as long as there was something to check in another one. */
function worstCode(reports: readonly DataReport[]): number {
  const codes = reports.map(report => exitCodes[report.verdict])
  const some = codes.filter(code => code !== exitCodes.nothing_checked)
  return Math.max(...(some.length === 0 ? codes : some))
}

function readReceipt(file: string, pinned: VerifierKey[]): ReceiptReport {
  try {
    return checkReceipt(nodeCrypto, readBytes(file, 'receipt'), pinned)
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    throw new UsageError(`${file} is no receipt: ${error.message}`)
  }
}

/** A key as an argument, or the first line of a file that holds one. No file name has two plus signs by accident. */
function readKey(argument: string): VerifierKey {
  const isKey = argument.split('+').length > 2
  if (!isKey && !existsSync(argument)) {
    throw new UsageError(
      `--key: "${argument}" is neither a verifier key (name+id+key) nor a file that holds one.`,
    )
  }
  const text = isKey ? argument : (readText(argument, 'verifier key').trim().split(/\s+/)[0] ?? '')
  try {
    return parseVerifierKey(nodeCrypto.sha256, text)
  } catch (error) {
    throw new UsageError(`--key: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function readText(file: string, what: string): string {
  return readBytes(file, what).toString('utf8')
}

function readBytes(file: string, what: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new UsageError(`The ${what} ${file} ${missing ? 'does not exist' : 'cannot be read'}.`)
  }
}

const good: readonly Verdict[] = ['ok', 'ok_unpinned', 'redacted_ok']

function receiptText(report: ReceiptReport): string {
  const { verdict, detail, leaf, checkpoint, receipt } = report
  const lines = [verdict, `  ${safe(detail)}`]
  if (leaf !== undefined)
    lines.push(`  event       ${safe(leaf.tx_id)}, recorded ${leaf.at}`, `  ledger      ${safe(leaf.ledger)}`)
  if (good.includes(verdict) && checkpoint !== undefined) {
    for (const part of parts) {
      const shown = receipt.disclosed[part]
      if (shown !== undefined) lines.push(`  ${part.padEnd(11)} ${printable(shown.content)}`)
    }
    lines.push(
      '  proved      This leaf stands at this place in the tree that the ledger signed.',
      ...caveats(verdict),
    )
  }
  return `${lines.join('\n')}\n`
}

function dataText(report: DataReport): string {
  const { verdict, findings, found, checked, kind, size, origin, newestAt, notAttested } = report
  const isRaw = kind === 'raw'
  const lines: string[] = [verdict]
  for (const finding of findings) {
    const place = finding.index === undefined ? '' : ` at index ${finding.index}`
    lines.push(`  ${finding.verdict}${place}: ${safe(finding.detail)}`)
  }
  if (found > findings.length) lines.push(`  … and ${found - findings.length} more`)
  lines.push(
    `  ledger      ${safe(origin)}`,
    `  re-read     ${checked} of ${size} ${isRaw ? 'entries of a raw ledger' : 'events, all parts and search columns'}`,
    `  newest      ${newestAt === null ? 'no entry' : `recorded ${newestAt}${isRaw ? ' by its own account' : ''}, the last that was read of ${size}`}`,
  )
  if (good.includes(verdict)) {
    lines.push(
      '  proved      Nothing was changed, dropped or reordered relative to the checkpoint that the key signed.',
      ...caveats(verdict),
      `              ${openEnd(report)}`,
      '              That these columns are true, which serve the server alone and no event depends on:',
      `              ${notAttested.join(', ')}.`,
    )
  }
  return `${lines.join('\n')}\n`
}

/** An old copy of a ledger is sound in itself: only something kept elsewhere shows that its end is missing. */
function openEnd({ keptSize, size }: DataReport): string {
  if (keptSize === 0) {
    return 'That the end was not cut off: there is nothing to compare with. Give a checkpoint that you kept: --checkpoint.'
  }
  return (
    `That nothing was cut off after entry ${size - 1}: the checkpoint or guard at hand reaches to entry ${keptSize - 1}, ` +
    'and what came later has no witness.'
  )
}

/** What stays open, said wherever a verdict is shown. */
function caveats(verdict: Verdict): string[] {
  const lines = ['  not proved  That everybody is shown this same history: no witness has signed it.']
  if (verdict !== 'ok_unpinned') return lines
  return [
    ...lines,
    '              Whose key this is: it came with the data. Give the one you know with --key.',
  ]
}

function printable(content: Uint8Array): string {
  const text = decodeUtf8(content)
  return text === undefined ? `${content.length} bytes that are not text` : safe(text)
}

/** Control characters in what somebody else wrote must not steer the reader's terminal. */
function safe(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function receiptJson({ verdict, detail, leaf, checkpoint, receipt }: ReceiptReport): string {
  const disclosed = Object.entries(receipt.disclosed).map(([part, shown]) => [
    part,
    decodeUtf8(shown.content) ?? null,
  ])
  const tree = checkpoint === undefined ? {} : { origin: checkpoint.origin, size: checkpoint.size }
  const report = {
    verdict,
    detail,
    index: receipt.index,
    leaf,
    ...tree,
    disclosed: Object.fromEntries(disclosed),
  }
  return `${JSON.stringify(report)}\n`
}
