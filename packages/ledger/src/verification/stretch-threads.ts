import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { KeySumState } from './key-sum.ts'
import type { StretchResult } from './stretch-check.ts'
import type { WorkerAnswer, WorkerStart, WorkerTask } from './stretch-worker.ts'

/** The file of the threads, beside this one: TypeScript when run from the sources, JavaScript when built. */
function threadFile(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? './stretch-worker.ts' : './stretch-worker.js',
    import.meta.url,
  )
}

interface Job {
  task: WorkerTask
  answered: (answer: WorkerAnswer) => void
}

/**
 * Threads that check stretches. Work is begun in the order in which it is asked for. What no thread can do, because
 * it failed or a bundler left the thread's file behind, is answered with `undefined`: whoever asked does it himself.
 */
export class StretchThreads {
  readonly #workers: Worker[] = []
  readonly #idle: Worker[] = []
  readonly #busy = new Map<Worker, Job>()
  readonly #waiting: Job[] = []

  constructor(start: WorkerStart, count: number) {
    const file = threadFile()
    if (!existsSync(fileURLToPath(file))) return
    for (let i = 0; i < count; i++) this.#start(new Worker(file, { workerData: start }))
  }

  /** How many there are. */
  get count(): number {
    return this.#workers.length
  }

  async stretch(stretch: { first: number; end: number }): Promise<StretchResult | undefined> {
    const answer = await this.#ask({ what: 'stretch', ...stretch })
    return answer.what === 'stretch' ? answer.result : undefined
  }

  async keys(size: number): Promise<KeySumState | undefined> {
    const answer = await this.#ask({ what: 'keys', size })
    return answer.what === 'keys' ? answer.sum : undefined
  }

  async integrity(): Promise<string[] | undefined> {
    const answer = await this.#ask({ what: 'integrity' })
    return answer.what === 'integrity' ? answer.lines : undefined
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.terminate()))
  }

  #start(worker: Worker): void {
    this.#workers.push(worker)
    this.#idle.push(worker)
    worker.on('message', (answer: WorkerAnswer) => {
      this.#answer(worker, answer)
      this.#idle.push(worker)
      this.#handOut()
    })
    worker.on('error', () => this.#lose(worker))
    worker.on('exit', () => this.#lose(worker))
  }

  #ask(task: WorkerTask): Promise<WorkerAnswer> {
    return new Promise(answered => {
      this.#waiting.push({ task, answered })
      this.#handOut()
    })
  }

  #handOut(): void {
    while (this.#waiting.length > 0 && this.#idle.length > 0) {
      const job = this.#waiting.shift()!
      const worker = this.#idle.shift()!
      this.#busy.set(worker, job)
      worker.postMessage(job.task)
    }
    if (this.#workers.length > 0) return
    for (const { answered } of this.#waiting.splice(0)) answered({ what: 'failed' })
  }

  #answer(worker: Worker, answer: WorkerAnswer): void {
    this.#busy.get(worker)?.answered(answer)
    this.#busy.delete(worker)
  }

  #lose(worker: Worker): void {
    for (const list of [this.#workers, this.#idle]) {
      const at = list.indexOf(worker)
      if (at !== -1) list.splice(at, 1)
    }
    this.#answer(worker, { what: 'failed' })
    this.#handOut()
  }
}
