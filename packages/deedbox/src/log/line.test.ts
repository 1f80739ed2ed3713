import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { serializer } from '../testing/fuzzed-lines.ts'
import { flatLine, flatLineWith, type LineHead } from './line.ts'

const head: LineHead = {
  instant: 1_763_664_542_000_123,
  level: 'INFO',
  number: 20,
  type: 'app.log',
  logger: undefined,
  message: 'charging',
  source: 'pay.ts:charge:12',
  failure: undefined,
  members: '',
}

test('FA-03 the time is in UTC with its offset unless the zone of the process is asked for', () => {
  assert.equal(flatLineWith(), flatLine)
  assert.equal(flatLineWith({ offset: 'utc' }), flatLine)
  const line = flatLine(head, serializer, { a: 1 }, undefined, () => undefined)
  assert.equal(
    line,
    '{"timestamp":"2025-11-20T18:49:02.000123+00:00","level":"INFO","message":"charging",' +
      '"source":"pay.ts:charge:12","a":1}',
  )
})

/** The same instants, each in a zone and with the offset that held there then. */
const zones: Readonly<Record<string, readonly [instant: number, timestamp: string][]>> = {
  'America/Sao_Paulo': [[1_763_664_542_000_123, '2025-11-20T15:49:02.000123-03:00']],
  'Asia/Kathmandu': [[1_763_664_542_000_123, '2025-11-21T00:34:02.000123+05:45']],
  UTC: [[1_763_664_542_000_123, '2025-11-20T18:49:02.000123+00:00']],
  // The last second of summer time, and the first after it.
  'Europe/Berlin': [
    [1_761_440_399_999_999, '2025-10-26T02:59:59.999999+02:00'],
    [1_761_440_400_000_000, '2025-10-26T02:00:00.000000+01:00'],
  ],
}

for (const [zone, cases] of Object.entries(zones)) {
  test(`FA-03 the local offset in ${zone}`, async () => {
    const program = `
      import { flatLineWith } from ${JSON.stringify(new URL('line.ts', import.meta.url))}
      import { serializer } from ${JSON.stringify(new URL('../testing/fuzzed-lines.ts', import.meta.url))}
      const format = flatLineWith({ offset: 'local' })
      for (const instant of ${JSON.stringify(cases.map(([instant]) => instant))})
        console.log(format({ ...${JSON.stringify(head)}, instant }, serializer, { a: 1 }, undefined, () => undefined))
    `
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@deedbox/source', '--input-type=module', '--eval', program],
      { env: { ...process.env, TZ: zone } },
    )
    const lines = stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines.map(line => JSON.parse(line)),
      cases.map(([, timestamp]) => ({
        timestamp,
        level: 'INFO',
        message: 'charging',
        source: 'pay.ts:charge:12',
        a: 1,
      })),
    )
  })
}
