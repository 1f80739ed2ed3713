// Runs `deedbox verify` on one file after the other and reports its exit code, or the sentence that it refuses with.
// In a thread of its own, so that what the command prints can be read, and its memory bounded.

import { parentPort, workerData } from 'node:worker_threads'
import { UsageError } from '../../packages/deedbox/src/commands/usage-error.ts'
import { verify } from '../../packages/deedbox/src/commands/verify.ts'

const { calls } = workerData as { calls: string[][] }
for (const args of calls) {
  try {
    const code = await verify(args)
    process.stdout.write(`\u001e${code}\u001e`)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stdout.write(`${error.message}\n\u001e2\u001e`)
  }
}
parentPort?.postMessage('done')
