import { randomUUID } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { LedgerError } from '../errors.ts'
import { ExportEnd, type ExportManifest } from '../export/index.ts'
import { sentenceOf } from '../store/index.ts'
import {
  choiceHelp,
  choiceOptions,
  placeHelp,
  placeOptions,
  readChoice,
  readCount,
} from './choice-options.ts'
import type { CommandTools, LedgerCommand } from './command.ts'
import type { LedgerSource } from './ledger-source.ts'
import { StandardOutput } from './standard-output.ts'
import { grouped, printable } from './terminal-text.ts'
import { withSource } from './with-source.ts'

const help = `Usage: deedbox export --out <file> [range] [filters] [options]
       deedbox export [range] [filters] [options] > <file>

Writes events with their proofs as JSON lines: content, salts and receipt of each, all for one signed checkpoint, and
a manifest as the last line, without which the file is not whole. Whoever has the ledger's verifier key can check it.

Range; a complete range proves that nothing in it was left out
  --from <index>             the first index (default 0)
  --to <index>               the index after the last one (default: all there is)
  --since and --until        become indices, so that the range stays a complete one

Filters; with any of them the export is a choice, and says so in its manifest
${choiceHelp}

Options
  --out <file>               written beside its place and renamed once it is whole, for its owner only (mode 0600)
  --force                    replaces a file that is there
${placeHelp}
  --help                     this text

Exit codes: 0 the export is whole, 1 the command failed, 2 it was called wrongly.

Examples
  deedbox export --out ledger.export.jsonl
  deedbox export --out march.export.jsonl --since 2027-03-01T00:00:00Z --until 2027-04-01T00:00:00Z
  deedbox export --url https://ledger.example --actor u_42 | zstd > u_42.export.jsonl.zst
`

/** Milliseconds between two pictures of the progress bar. */
const drawEvery = 100

/** `deedbox export`: events with their proofs, to a file or into a pipe. */
export const exportEvents: LedgerCommand = async (args, tools) => {
  const { values } = parseArgs({
    args,
    options: {
      ...choiceOptions,
      ...placeOptions,
      from: { type: 'string' },
      to: { type: 'string' },
      out: { type: 'string' },
      force: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const index = (option: 'from' | 'to') =>
    typeof values[option] === 'string'
      ? { [option]: readCount(`--${option}`, values[option], Number.MAX_SAFE_INTEGER) }
      : {}
  const query = { ...readChoice(values, Date.now()), ...index('from'), ...index('to') }
  const out = typeof values.out === 'string' ? resolve(values.out) : undefined
  if (out === undefined && process.stdout.isTTY) {
    throw new LedgerError('invalid_usage', 'Name a file with --out, or send the export into a pipe.')
  }
  if (out !== undefined) checkPlace(out, values.force === true)
  const stop = new AbortController()
  const onStop = () => stop.abort(new LedgerError('incomplete', 'Interrupted; nothing was kept.'))
  process.once('SIGINT', onStop)
  process.once('SIGTERM', onStop)
  try {
    const manifest = await withSource(values, process.env, source => {
      const transfer = { source, query, signal: stop.signal, tools }
      return out === undefined ? intoPipe(transfer) : intoFile(out, values.force === true, transfer)
    })
    tools.progressEnd()
    if (out !== undefined) process.stderr.write(`${report(manifest, out)}\n`)
    return 0
  } finally {
    process.off('SIGINT', onStop)
    process.off('SIGTERM', onStop)
  }
}

interface Transfer {
  source: LedgerSource
  query: Parameters<LedgerSource['export']>[0]
  signal: AbortSignal
  tools: CommandTools
}

async function intoPipe(transfer: Transfer): Promise<ExportManifest> {
  const output = new StandardOutput(process.stdout)
  return run(transfer, async bytes => {
    await output.write(bytes)
    if (output.gone.aborted) {
      throw new LedgerError('incomplete', 'Whoever read the export has stopped reading; it is not whole.')
    }
  })
}

/** A file under its name is a whole export: until then it has another one. */
async function intoFile(out: string, force: boolean, transfer: Transfer): Promise<ExportManifest> {
  const unfinished = join(dirname(out), `.${basename(out)}.${randomUUID().slice(0, 8)}.unfinished`)
  let file: FileHandle | undefined
  try {
    file = await writing(out, () => open(unfinished, 'wx', 0o600))
    const manifest = await run(transfer, bytes => writing(out, () => file!.writeFile(bytes)))
    await writing(out, () => file!.sync())
    await file.close()
    checkPlace(out, force)
    await writing(out, () => rename(unfinished, out))
    return manifest
  } catch (error) {
    await file?.close().catch(() => undefined)
    await rm(unfinished, { force: true })
    throw error
  }
}

async function run(
  { source, query, signal, tools }: Transfer,
  write: (bytes: Buffer) => Promise<unknown>,
): Promise<ExportManifest> {
  const { from, to, pieces } = await source.export(query, signal)
  const end = new ExportEnd()
  let drawn = Number.NEGATIVE_INFINITY
  for await (const bytes of pieces) {
    await write(bytes)
    end.take(bytes)
    if (performance.now() - drawn < drawEvery) continue
    tools.progress('entries exported', Math.max(0, end.index + 1 - from), to - from)
    drawn = performance.now()
  }
  return end.manifest()
}

function checkPlace(out: string, force: boolean): void {
  if (!existsSync(out)) return
  if (statSync(out).isDirectory()) {
    throw new LedgerError('invalid_usage', `${out} is a folder. Name a file in it.`)
  }
  if (!force) {
    throw new LedgerError('invalid_usage', `${out} is there already. Name another file, or add --force.`)
  }
}

async function writing<T>(out: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new LedgerError(
      code === 'ENOSPC' ? 'storage_full' : 'storage_failed',
      `${out} cannot be written: ${sentenceOf(cause)}.`,
      { cause },
    )
  }
}

function report({ count, from, to, tree_size, filters, ledger }: ExportManifest, out: string): string {
  const isWhole = Object.keys(filters).length === 0
  return [
    `${grouped(count)} ${count === 1 ? 'entry' : 'entries'} in ${out}`,
    `  range       ${from} to ${to} (exclusive), ${isWhole ? 'nothing left out' : 'those that fit the filters'}`,
    `  checkpoint  of size ${tree_size}`,
    `  ledger      ${printable(ledger)}`,
  ].join('\n')
}
