import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Chest, ChestError, type ContextEntry, type TrackedValue } from 'deedbox/chests'
import type { ChestHarness } from './chest-harness.ts'
import { aRecord, entriesOf, eventually, sorted } from './entries.ts'
import { aService } from './service-suite.ts'

/** Places that are not there, or do not let a chest in. */
export function failureSuite(harness: ChestHarness): void {
  const { skip, server, keeps = (value: TrackedValue): TrackedValue => value } = harness
  const title = (rows: string, text: string): string => `${rows} chest, ${harness.name}: ${text}`

  test(title('FC-15', 'it says whether it could write, and may be closed twice'), { skip }, async t => {
    const place = await harness.place(t)
    const chest = place.open()
    t.after(() => chest.close())
    assert.match(chest.id, /^[A-Za-z]+\(name=.+\)$/)
    assert.deepEqual(await chest.check(), [])
    if (server !== undefined) {
      await server.halt()
      try {
        await assertDown(chest)
        assert.notEqual(codeOf(await failureOf(chest, entriesOf(aRecord(), [['n', 1]]))), 'refused')
      } finally {
        await server.start()
      }
      await eventually(async () => (await chest.check()).length === 0)
    }
    await chest.close()
    await chest.close()
  })

  const { withWrongCredentials, withSelfSigned } = harness
  if (withWrongCredentials !== undefined) {
    const told = 'credentials that are wrong are told without the password, and the entries wait'
    test(title('FC-12 FC-18', told), { skip }, async t => {
      const { chest, password } = await withWrongCredentials(t)
      const { box, lines } = aService(t, chest)
      box.run({ name: 'job' }, () => box.set({ n: 1 }))
      await eventually(() => lines.some(line => JSON.parse(line).notice === 'chest_delayed'))
      const line = JSON.parse(lines.find(text => JSON.parse(text).notice === 'chest_delayed') ?? '')
      assert.equal(line.chest, chest.id)
      const { queued, rejected, dropped } = box.stats().chests[0]!
      assert.deepEqual({ queued, rejected, dropped }, { queued: 1, rejected: 0, dropped: 0 })
      const failure = await failureOf(chest, entriesOf(aRecord(), [['n', 1]]))
      assert.notEqual(codeOf(failure), 'refused')
      const messages = await assertDown(chest)
      for (const text of [...lines, chest.id, chest.address, JSON.stringify(messages), ...textsOf(failure)])
        assert(!String(text).includes(password), String(text))
    })
  }

  if (withSelfSigned !== undefined) {
    const verified = 'a self-signed certificate is refused, unless it is said to be accepted'
    test(title('FC-21', verified), { skip }, async t => {
      const { byDefault, accepting, stored } = await withSelfSigned(t)
      t.after(() => Promise.all([byDefault.close(), accepting.close()]))
      const entries = entriesOf(aRecord(), [['n', 1]])
      const failure = await failureOf(byDefault, entries)
      assert.match(textsOf(failure).join('\n'), /certificate|self.signed/i)
      assert.notEqual(codeOf(failure), 'refused')
      await assertDown(byDefault)
      assert.deepEqual(await stored(), [])
      assert.deepEqual(await accepting.check(), [])
      await accepting.write(entries)
      assert.deepEqual(
        sorted(await stored()),
        sorted(entries.map(({ name, value, requestId }) => ({ name, value: keeps(value), requestId }))),
      )
    })
  }
}

async function assertDown(chest: Chest) {
  const messages = await chest.check()
  assert(messages.some(({ level }) => level === 'error' || level === 'critical'))
  for (const { id, message } of messages) {
    assert.match(id, /^deedbox\.chest\.[a-z_.]+$/)
    assert(message.includes(chest.id), message)
  }
  return messages
}

async function failureOf(chest: Chest, entries: readonly ContextEntry[]): Promise<unknown> {
  try {
    await chest.write(entries)
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: `${chest.id} took what it could not` })
}

function codeOf(error: unknown): string | undefined {
  return error instanceof ChestError ? error.code : undefined
}

/** The messages of an error and of all that caused it. */
function textsOf(error: unknown): string[] {
  const texts: string[] = []
  for (let at = error; at instanceof Error && texts.length < 20; at = at.cause) {
    texts.push(at.message)
    if ('code' in at) texts.push(String(at.code))
  }
  return texts
}
