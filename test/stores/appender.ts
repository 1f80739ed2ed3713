// A process of its own that appends: `appender.ts <harness module> <place> <name> <count>`. Prints
// "<n> <index> <origin>" for each event once it is acknowledged.
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openWriterOn } from '../../packages/ledger/src/sequencer/index.ts'
import { numbered, type StoreHarness, stored } from './conformance.ts'

const [module = '', place = '', name = '', count = '0'] = process.argv.slice(2)
const { harness } = (await import(module)) as { harness: StoreHarness }
const writer = await openWriterOn(await harness.openStore(place), harness.config(place))
// Numbers of different processes never meet.
const base = 1_000_000 + (createHash('sha256').update(name).digest().readUInt16BE() % 10_000) * 1_000_000
for (let i = 0; i < Number(count); i++) {
  const [result] = stored(await writer.append([numbered(base + i)]))
  writeSync(1, `${base + i} ${result?.index} ${writer.ledger.origin}\n`)
}
await writer.close()
