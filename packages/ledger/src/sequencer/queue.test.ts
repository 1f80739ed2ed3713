import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gravestFailure, LedgerError } from '../errors.ts'
import type { Commit } from './commit.ts'
import { Queue } from './queue.ts'
import { adminSubmission, type Sequenced, type Submission, type Writer } from './submission.ts'

/** A writer whose transactions last until the test ends them: what is tested is the queue in front of it. */
class HeldWriter implements Writer {
  readonly ledger = { ledgerId: 1, name: 'main', origin: 'o', verifierKeys: [], created: false, warnings: [] }
  readonly failure = undefined
  readonly warning = undefined
  readonly batches: Submission[][] = []
  published = 0
  #end: (() => void)[] = []
  #started: (() => void)[] = []
  failWith: Error | undefined

  async append(submissions: Submission[]): Promise<Sequenced[]> {
    this.batches.push(submissions)
    for (const started of this.#started.splice(0)) started()
    await new Promise<void>(resolve => this.#end.push(resolve))
    if (this.failWith !== undefined) throw this.failWith
    return submissions.map((submission, i) => {
      return {
        index: i,
        txId: submission.requestId,
        payloadHash: '',
        duplicate: false,
        requestId: submission.requestId,
      }
    })
  }

  /** Resolves when the next transaction has begun. */
  begins(): Promise<void> {
    return new Promise(resolve => this.#started.push(resolve))
  }

  end(): void {
    this.#end.shift()?.()
  }

  async publish(): Promise<void> {
    this.published++
  }

  async touchKeys(): Promise<void> {}

  async announce(): Promise<void> {}

  async close(): Promise<void> {}
}

const submission = (name: string) => adminSubmission('test', {}, name)

test('what arrives while a transaction is under way shares the next one, and each gets its own result', async () => {
  const writer = new HeldWriter()
  const queue = new Queue(writer)
  const begun = writer.begins()
  const first = queue.submit([submission('a')])
  const sameTurn = queue.submit([submission('b'), submission('c')])
  await begun
  assert.equal(queue.depth, 3)
  const meanwhile = ['d', 'e', 'f'].map(name => queue.submit([submission(name)]))
  const second = writer.begins()
  writer.end()
  assert.deepEqual(
    (await first).map(result => result.txId),
    ['a'],
  )
  assert.deepEqual(
    (await sameTurn).map(result => result.txId),
    ['b', 'c'],
  )
  await second
  writer.end()
  assert.deepEqual(
    (await Promise.all(meanwhile)).flat().map(result => result.txId),
    ['d', 'e', 'f'],
  )
  assert.deepEqual(
    writer.batches.map(batch => batch.length),
    [3, 3],
  )
  assert.equal(queue.depth, 0)
  await queue.close()
  assert.equal(writer.published, 1)
})

test('P10 a failed transaction fails those in it, is remembered as the failure, and poisons nobody after it', async () => {
  const writer = new HeldWriter()
  const queue = new Queue(writer)
  writer.failWith = new LedgerError('storage_full', 'The disk is full.')
  const begun = writer.begins()
  const failing = Promise.allSettled([queue.submit([submission('a')]), queue.submit([submission('b')])])
  await begun
  writer.end()
  assert.deepEqual(
    (await failing).map(result => result.status),
    ['rejected', 'rejected'],
  )
  assert.equal(queue.failure?.code, 'storage_full')
  writer.failWith = undefined
  const again = writer.begins()
  const good = queue.submit([submission('c')])
  await again
  writer.end()
  assert.equal((await good)[0]?.txId, 'c')
  assert.equal(queue.failure, undefined)
  await queue.close()
})

test('that others write to the file meanwhile is no failure of the ledger, and ends none', async () => {
  const writer = new HeldWriter()
  const queue = new Queue(writer)
  const failed = async (error: LedgerError): Promise<string | undefined> => {
    writer.failWith = error
    const begun = writer.begins()
    const done = assert.rejects(queue.submit([submission('a')]), { code: error.code })
    await begun
    writer.end()
    await done
    return queue.failure?.code
  }
  const busy = new LedgerError('overloaded', 'The database is locked by another process.')
  assert.equal(await failed(busy), undefined)
  assert.equal(await failed(new LedgerError('storage_full', 'The disk is full.')), 'storage_full')
  assert.equal(await failed(busy), 'storage_full')
})

test('what is for good is told before what may pass', () => {
  const passing = new LedgerError('storage_full', 'The disk is full.')
  const lasting = new LedgerError('ledger_stopped', 'The writer is gone.')
  assert.equal(gravestFailure([undefined, passing, lasting]), lasting)
  assert.equal(gravestFailure([undefined, passing]), passing)
  assert.equal(gravestFailure([undefined]), undefined)
})

test('each transaction is told, with what it stored or why it stored nothing', async () => {
  const writer = new HeldWriter()
  const commits: Commit[] = []
  const queue = new Queue(writer, commit => commits.push(commit))
  for (const failWith of [undefined, new LedgerError('storage_full', 'The disk is full.')]) {
    writer.failWith = failWith
    const begun = writer.begins()
    const done = Promise.allSettled([queue.submit([submission('a'), submission('b')])])
    await begun
    writer.end()
    await done
  }
  assert.deepEqual(
    commits.map(({ seconds, ...others }) => ({ ...others, tookTime: seconds >= 0 })),
    [
      {
        ledger: writer.ledger.name,
        submitted: 2,
        appended: 2,
        repeated: 0,
        failure: undefined,
        tookTime: true,
      },
      {
        ledger: writer.ledger.name,
        submitted: 2,
        appended: 0,
        repeated: 0,
        failure: 'storage_full',
        tookTime: true,
      },
    ],
  )
})

test('a huge backlog is split into transactions, a single submission never', async () => {
  const writer = new HeldWriter()
  const queue = new Queue(writer)
  const many = Array.from({ length: 5 }, (_, i) =>
    Array.from({ length: 500 }, (_, j) => submission(`${i}-${j}`)),
  )
  const results = many.map(batch => queue.submit(batch))
  const all = Promise.all(results)
  let open = true
  void all.then(() => {
    open = false
  })
  while (open) {
    writer.end()
    await new Promise(setImmediate)
  }
  assert.deepEqual(
    writer.batches.map(batch => batch.length),
    [1000, 1000, 500],
  )
  assert.equal((await all).flat().length, 2500)
  await queue.close()
})

test('a full transaction is handed over while another is under way; a smaller one goes on gathering', async () => {
  const writer = new HeldWriter()
  const queue = new Queue(writer)
  const first = queue.submit([submission('first')])
  await new Promise(setImmediate)
  const small = queue.submit([submission('small')])
  await new Promise(setImmediate)
  assert.deepEqual(
    writer.batches.map(batch => batch.length),
    [1],
  )
  const full = queue.submit(Array.from({ length: 1_023 }, (_, i) => submission(`full-${i}`)))
  await new Promise(setImmediate)
  const third = queue.submit(Array.from({ length: 1_024 }, (_, i) => submission(`third-${i}`)))
  await new Promise(setImmediate)
  assert.deepEqual(
    writer.batches.map(batch => batch.length),
    [1, 1_024],
  )
  let open = true
  const all = Promise.all([first, small, full, third]).then(answers => {
    open = false
    return answers
  })
  while (open) {
    writer.end()
    await new Promise(setImmediate)
  }
  assert.deepEqual(
    (await all).map(answer => answer.length),
    [1, 1, 1_023, 1_024],
  )
  await queue.close()
})
