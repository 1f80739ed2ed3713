import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChild } from './testing/ledger-child.ts'

/** Runs the failing service; its lines, what else it printed, and how it ended. */
async function failing(variables: Readonly<Record<string, string>>) {
  const running = startChild('failing-process.ts', variables)
  const ended = await running.ended
  const printed = running.output().split('\n')
  const lines = printed
    .filter(line => line.startsWith('{"timestamp"'))
    .map(line => JSON.parse(line) as Record<string, unknown>)
    .filter(line => line.notice === undefined && line.status_code === undefined)
  return { ended, lines, rest: printed.filter(line => !line.startsWith('{"timestamp"')).join('\n') }
}

for (const [how, message, text] of [
  ['throw', 'Uncaught exception', 'Error: nobody catches this'],
  ['reject', 'Unhandled rejection', 'Error: nobody awaits this'],
  ['text', 'Unhandled rejection', 'no Error at all'],
] as const) {
  test(`FA-26 ${message} (${how}): one line with the request's id; Node prints and ends as without us`, async () => {
    const { ended, lines, rest } = await failing({ HOW: how })
    assert.deepEqual(ended, { code: 1, signal: null })
    assert.deepEqual(
      lines.map(line => [line.level, line.message, line.request_id]),
      [['CRITICAL', message, 'failing-1']],
    )
    assert.match(String(lines[0]?.exception), new RegExp(text))
    assert.match(rest, new RegExp(text), 'Node’s own trace')
    const off = await failing({ HOW: how, POLICY: 'off' })
    assert.deepEqual([off.ended.code, off.lines], [1, []])
  })

  test(`FA-26 FA-25 ${message} (${how}) adopted: the line is all that is printed, exit code 1`, async () => {
    const { ended, lines, rest } = await failing({ HOW: how, POLICY: 'adopt' })
    assert.deepEqual(ended, { code: 1, signal: null })
    assert.deepEqual(
      lines.map(line => [line.level, line.message, line.request_id]),
      [['CRITICAL', message, 'failing-1']],
    )
    assert.doesNotMatch(rest, new RegExp(text))
  })
}

test('FA-26 a handler of the service’s own decides, adopted or not', async () => {
  for (const policy of ['log', 'adopt']) {
    const { ended, lines } = await failing({ HOW: 'throw', POLICY: policy, OWN: '1' })
    assert.equal(ended.code, 9)
    assert.equal(lines.length, 1)
  }
})

test('FA-26 a warning of the process is a line; adopted, Node prints none beside it', async () => {
  const logged = await failing({ HOW: 'warn' })
  assert.deepEqual(
    logged.lines.map(({ level, message, warning, code, request_id }) => [
      level,
      message,
      warning,
      code,
      request_id,
    ]),
    [['WARNING', 'take care', 'CareWarning', 'CARE01', 'failing-1']],
  )
  assert.match(logged.rest, /CareWarning: take care/)
  assert.equal(logged.ended.code, 0)
  const adopted = await failing({ HOW: 'warn', POLICY: 'adopt' })
  assert.equal(adopted.lines.length, 1)
  assert.doesNotMatch(adopted.rest, /take care/)
})
