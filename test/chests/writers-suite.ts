import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import type { TrackedValue } from 'deedbox/chests'
import type { ChestHarness } from './chest-harness.ts'
import { aRecord, entriesOf, sorted, writeUntilTaken } from './entries.ts'

/** Many who write to one place at once. */
export function writersSuite(harness: ChestHarness): void {
  const { skip, keeps = (value: TrackedValue): TrackedValue => value } = harness
  const title = (text: string): string => `FC-24 chest, ${harness.name}: ${text}`

  test(title('fifty writers at once lose nothing, and double nothing'), { skip }, async t => {
    const place = await harness.place(t)
    const chests = Array.from({ length: 50 }, () => place.open())
    t.after(() => Promise.all(chests.map(chest => chest.close())))
    const written = await Promise.all(
      chests.map(async (chest, i) => {
        const all = []
        for (let round = 0; round < 3; round++) {
          const requestId = `writer-${i}-${round}`
          const entries = [0, 1].flatMap(n =>
            entriesOf(aRecord({ requestId: `${requestId}-${n}` }), [
              ['n', n],
              ['i', i],
            ]),
          )
          await writeUntilTaken(chest, entries)
          all.push(...entries)
        }
        return all
      }),
    )
    assert.deepEqual(
      sorted(await place.stored()),
      sorted(written.flat().map(({ name, value, requestId }) => ({ name, value: keeps(value), requestId }))),
    )
  })

  test(title('two processes write to one place at once'), { skip }, async t => {
    const place = await harness.place(t)
    const count = 200
    await Promise.all(['one', 'other'].map(prefix => anotherProcess(t, place.program, prefix, count)))
    assert.deepEqual(
      sorted(await place.stored()),
      sorted(
        ['one', 'other'].flatMap(prefix =>
          Array.from({ length: count }, (_, n) => ({
            name: 'n',
            value: keeps(n),
            requestId: `${prefix}-${n}`,
          })),
        ),
      ),
    )
  })
}

/** Runs `writeJobs` in a process of its own. */
async function anotherProcess(t: TestContext, program: string, prefix: string, count: number): Promise<void> {
  const source = `${program}
import { writeJobs } from './writing-process.ts'
await writeJobs(open(), ${JSON.stringify(prefix)}, ${count})`
  // Or it reports to the test runner as if it were a test file.
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const child = spawn(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module-typescript', '-e', source],
    { cwd: import.meta.dirname, env, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  t.after(() => child.kill('SIGKILL'))
  const [said, , [code]] = await Promise.all([text(child.stderr), text(child.stdout), once(child, 'exit')])
  assert.equal(code, 0, said)
}
