// The command that strangers' files are given to.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import {
  encodeUtf8,
  exitCodes,
  formatProofFile,
  formatReceipt,
  parseProofFile,
  parseReceipt,
} from '@deedbox/tlog'
import { log } from '../../packages/tlog/src/testing/vectors.ts'
import { fuzzAsync, requireReached } from './fuzz.ts'
import { mutate } from './mutator.ts'
import { receipts } from './tlog-samples.ts'

interface Outcome {
  code: number
  printed: string
}

/** Runs the command on each file, in a thread with 128 MB of heap. */
async function verifyAll(
  t: TestContext,
  files: readonly Uint8Array[],
  more: readonly string[],
): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-fuzz-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const calls = files.map((bytes, i) => {
    const path = join(folder, `${i}.tlog-proof`)
    writeFileSync(path, bytes)
    return [path, ...more]
  })
  const worker = new Worker(new URL('./verify-worker.ts', import.meta.url), {
    workerData: { calls },
    stdout: true,
    resourceLimits: { maxOldGenerationSizeMb: 128 },
  })
  let printed = ''
  worker.stdout.setEncoding('utf8').on('data', text => {
    printed += text
  })
  const ended = once(worker.stdout, 'end')
  const [code] = await once(worker, 'exit')
  assert.equal(code, 0)
  await ended
  rmSync(folder, { recursive: true, force: true })
  const parts = printed.split('\u001e')
  const outcomes = files.map((_, i) => ({ printed: parts[2 * i]!, code: Number(parts[2 * i + 1]) }))
  assert.equal(parts.length, 2 * files.length + 1)
  return outcomes
}

const samples = receipts.map(encodeUtf8)
const pinned = ['--key', log.verifierKey]

test('P6 P14 F16 deedbox verify: every mutated receipt has a verdict and its exit code, or a sentence', async t => {
  const reached: Record<string, number> = { ok: 0, content_mismatch: 0, bad_signature: 0, refused: 0 }
  await fuzzAsync('verify', 2, async random => {
    const files = Array.from({ length: 150 }, () => {
      const bytes = mutate(random, random.pick(samples), samples)
      if (random.once(2)) return bytes
      const receipt = parseReceipt(random.pick(receipts))
      const leaf = random.once(2) ? mutate(random, receipt.leaf, []) : receipt.leaf
      const checkpoint = random.once(2) ? receipt.checkpoint : receipt.checkpoint.replace(/[0-9]/, '8')
      return encodeUtf8(formatReceipt({ ...receipt, leaf, checkpoint }))
    })
    const outcomes = await verifyAll(t, files, random.once(2) ? [...pinned, '--json'] : pinned)
    for (const [i, { code, printed }] of outcomes.entries()) {
      const about = `${JSON.stringify(Buffer.from(files[i]!).toString('latin1'))} gives ${code} ${printed}`
      // No file may steer the terminal of who verifies it.
      assert.doesNotMatch(printed, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/, about)
      const verdict = printed.startsWith('{') ? JSON.parse(printed).verdict : printed.split('\n')[0]
      if (code === 2) assert.match(printed, /is no receipt: .*\.\n$/, about)
      else assert.equal(exitCodes[verdict as 'ok'], code, about)
      const where = code === 2 ? 'refused' : verdict
      reached[where] = (reached[where] ?? 0) + 1
    }
  })
  requireReached(reached)
})

test('P20 deedbox verify: huge and deeply nested files are refused within bounded memory', async t => {
  const huge = 3_000_000
  const proof = parseProofFile(receipts[0]!)
  const withExtra = (text: string) => formatProofFile({ ...proof, extra: encodeUtf8(text) })
  const texts = [
    '\n'.repeat(huge),
    '+'.repeat(huge),
    `c2sp.org/tlog-proof@v1\nindex ${'9'.repeat(huge)}\n\n${proof.checkpoint}`,
    `c2sp.org/tlog-proof@v1\nindex 0\n${`${'A'.repeat(43)}=\n`.repeat(50_000)}\n${proof.checkpoint}`,
    receipts[0]!.replace('\n\n', `\n\n${'x\n'.repeat(huge / 2)}`),
    `${receipts[0]!}${'— a AAAAAAAA\n'.repeat(100_000)}`,
    withExtra('['.repeat(huge)),
    withExtra(`${'{"disclosed":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    withExtra(
      `{"disclosed":{${Array.from({ length: 100_000 }, (_, i) => `"p${i}":{}`).join(',')}},"leaf":"","v":1,"vkey":""}`,
    ),
    withExtra(`{"disclosed":{},"leaf":"${'A'.repeat(huge)}","v":1,"vkey":"${'+'.repeat(huge)}"}`),
  ]
  for (const { code, printed } of await verifyAll(t, texts.map(encodeUtf8), pinned)) {
    assert.ok(code === 2 || code === exitCodes.content_mismatch, printed.slice(0, 300))
    assert.ok(printed.length < 1_000, printed.slice(0, 300))
  }
})
