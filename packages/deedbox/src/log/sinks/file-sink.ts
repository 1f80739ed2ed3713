import cluster from 'node:cluster'
import { isMainThread } from 'node:worker_threads'
import { ConfigurationError, errorMessage } from '../../safety/index.ts'
import type { LogSink } from '../sink.ts'
import { Archive } from './archive.ts'
import { serveWorkers, workersEnded } from './cluster-primary.ts'
import { WorkerChannel } from './cluster-worker.ts'
import { type FileSinkOptions, readFileOptions } from './file-options.ts'
import { onHangup } from './hangup.ts'
import { LogFile } from './log-file.ts'
import { Losses } from './losses.ts'

/** Characters that are collected, at most, before they are written in the middle of a turn. */
const fullBuffer = 65_536

/** A file as a sink. */
export interface FileSink extends LogSink {
  flush(): void
  /** Writes out what waits, and waits until it is written, and full files are compressed and deleted. */
  drain(): Promise<void>
  close(): Promise<void>
}

/**
 * A sink that appends lines to a file, whole and synchronously, those of one turn of the event loop with one system
 * call. A full file is renamed to `app.2026-11-29T18-04-05Z.log`, after the time of its last line, and never
 * overwrites another. (FA-51) Several processes may write the same file; in workers of `node:cluster` whose primary
 * has a sink for it, that one writes, by its own options. (FA-52)
 * @throws ConfigurationError when an option is wrong or the file cannot be opened
 */
export function fileSink(options: FileSinkOptions): FileSink {
  const settings = readFileOptions(options)
  const { path } = settings
  const losses = new Losses(`the log file ${path}`)
  const archive = new Archive(settings, losses.tell)
  const file = new LogFile(settings, losses.tell, () => archive.tidy())
  let waiting = ''
  let isClosed = false
  let isTidied = false

  /** Also what a process that was killed has left to do. */
  const tidyFirst = (): void => {
    if (isTidied) return
    isTidied = true
    archive.tidy()
  }
  const write = (text: string): void => {
    file.write(text)
    tidyFirst()
  }
  if (!settings.lazy) {
    try {
      file.open()
    } catch (error) {
      throw new ConfigurationError('fileSink.path', errorMessage(error))
    }
    tidyFirst()
  }
  const isWorker = cluster.isWorker && isMainThread && process.connected
  const channel = isWorker ? new WorkerChannel(path, write) : undefined
  const isPrimary = cluster.isPrimary && isMainThread
  const leaveWorkers = isPrimary ? serveWorkers(path, write) : () => {}
  const forgetHangup = settings.reopen ? onHangup(() => file.reopen()) : () => {}

  const flush = (): void => {
    if (waiting === '') return
    const text = waiting
    waiting = ''
    if (channel === undefined) write(text)
    else channel.write(text)
  }
  const drain = async (): Promise<void> => {
    flush()
    await channel?.drain()
    if (isPrimary) await workersEnded()
    await archive.done()
  }
  return {
    write(line) {
      if (isClosed) throw new Error('the log file is closed')
      waiting += line
      if (waiting.length >= fullBuffer) flush()
    },
    flush,
    drain,
    async close() {
      isClosed = true
      forgetHangup()
      await drain()
      leaveWorkers()
      channel?.close()
      file.close()
    },
    onLoss: losses.listen,
  }
}
