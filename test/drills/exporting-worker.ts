// A process of its own that does nothing but export: `exporting-worker.ts <chest> <endpoint> <lease in milliseconds>`. It
// says when it begins a write and when one is confirmed, so that a drill can end it between the two and the deletion; and what
// goes wrong.
import { createExporter, httpWriter, isReadable, openChest } from 'deedbox/chests'

const [source = '', url = '', lease] = process.argv.slice(2)
const from = await openChest(source)
if (!isReadable(from)) throw new Error(`${from.id} cannot be read`)
const chest = httpWriter({ url, timeoutMs: 20_000, payload: entries => entries.map(({ id }) => id) })
createExporter({
  from,
  to: {
    ...chest,
    write: async entries => {
      process.stdout.write('writing\n')
      await chest.write(entries)
      process.stdout.write('confirmed\n')
    },
  },
  intervalMs: 20,
  batchSize: 30,
  leaseMs: Number(lease),
  keepAlive: true,
  name: 'export',
  logger: { debug: () => {}, warn: message => process.stdout.write(`${message}\n`) },
}).start()
