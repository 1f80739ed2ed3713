import {
  createExporter,
  type Exporter,
  type ExporterOptions,
  type ExportResult,
  type ReadableChest,
} from '../chests/index.ts'
import { ConfigurationError } from '../safety/index.ts'
import { openArgument, openReadable, withoutSecrets } from './chest-argument.ts'
import { printable } from './log-text.ts'
import { readSpan } from './log-times.ts'
import { Progress } from './progress.ts'
import { UsageError } from './usage-error.ts'
import { wholeNumber } from './whole-number.ts'

/** What `deedbox chest export` is told. */
export interface ExportOptions {
  readonly to?: string | undefined
  readonly batch?: string | undefined
  readonly once?: boolean | undefined
  readonly watch?: boolean | undefined
  readonly interval?: string | undefined
  readonly cron?: string | undefined
  readonly 'time-zone'?: string | undefined
}

/** Milliseconds between two pictures of the bar of a watch. */
const pause = 200

/** `deedbox chest export`. Resolves to the exit code. @throws UsageError */
export async function exportChest(url: string, options: ExportOptions): Promise<number> {
  if (options.to === undefined) throw new UsageError('Say where entries go: --to jsonl:out.jsonl')
  const urls = [url, options.to]
  const { isWatch, ...settings } = settingsOf(options)
  const from = await openReadable(url)
  const progress = new Progress(process.stderr)
  const say = (text: string): void => {
    progress.clear()
    process.stderr.write(`deedbox: ${printable(withoutSecrets(text, urls))}\n`)
  }
  const stop = new AbortController()
  // The second one ends the process as always.
  const onSignal = (): void => stop.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal)
  try {
    const to = await openArgument(options.to)
    try {
      const logger = { debug: isWatch ? say : () => {}, warn: say }
      const exporter = exporterOf({ ...settings, from, to, name: 'export', logger })
      return isWatch
        ? await watch(exporter, progress, stop.signal)
        : await exportOnce(exporter, from, progress, stop.signal)
    } finally {
      await to.close()
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, onSignal)
    progress.clear()
    await from.close()
  }
}

/** @throws UsageError */
function settingsOf(options: ExportOptions): {
  readonly isWatch: boolean
} & Pick<ExporterOptions, 'batchSize' | 'intervalMs' | 'cron' | 'timeZone' | 'keepAlive'> {
  const { batch, once, watch, interval, cron, 'time-zone': timeZone } = options
  const isWatch = watch === true || interval !== undefined || cron !== undefined
  if (once === true && isWatch) throw new UsageError('--once ends after one run; take it or --watch.')
  return {
    isWatch,
    keepAlive: true,
    batchSize: batch === undefined ? undefined : wholeNumber('--batch', batch, 1, 10_000),
    intervalMs: interval === undefined ? undefined : readSpan('--interval', interval),
    cron,
    timeZone,
  }
}

/** @throws UsageError for what an option makes wrong */
function exporterOf(options: ExporterOptions): Exporter {
  try {
    return createExporter(options)
  } catch (error) {
    if (error instanceof ConfigurationError) throw new UsageError(error.message)
    throw error
  }
}

async function exportOnce(
  exporter: Exporter,
  from: ReadableChest,
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  let result: ExportResult
  try {
    result = await exporter.runOnce({
      signal,
      onProgress: ({ moved, left }) => progress.show('entries moved', moved, moved + left),
    })
  } catch {
    // The logger has said it.
    return 1
  }
  progress.clear()
  process.stdout.write(`${printable(sentence(result, from.id))}\n`)
  return result.outcome === 'done' && result.refused === 0 ? 0 : 1
}

function sentence({ outcome, moved, refused, left }: ExportResult, from: string): string {
  const done = `${moved} ${moved === 1 ? 'entry' : 'entries'} moved`
  switch (outcome) {
    case 'done':
      return refused === 0 ? `${done}.` : `${done}; ${refused} refused, which are still in ${from}.`
    case 'busy':
      return `Another process is exporting from ${from}: nothing was done.`
    case 'stopped':
      return `Stopped: ${done}, ${left} left. The same command goes on from there.`
    case 'lost':
      return `Another process has taken over: ${done}.`
  }
}

/** Goes on until a signal comes. */
async function watch(exporter: Exporter, progress: Progress, signal: AbortSignal): Promise<number> {
  const bar = setInterval(() => {
    const { moved, backlog } = exporter.stats()
    if (backlog) progress.show('entries moved', moved, moved + backlog)
    else progress.clear()
  }, pause)
  exporter.start()
  if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  clearInterval(bar)
  await exporter.stop()
  return 0
}
