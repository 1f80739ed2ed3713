import { openLedger } from '@deedbox/ledger'
import { deedbox } from 'deedbox'

// A service that keeps its ledger in its own process, as the guide shows it, and says what was acknowledged. It goes on
// until it is killed.
const [, , path = '', guard = '', name = ''] = process.argv
const box = deedbox({ service: name, ledger: openLedger(path, { guard }), log: { sink: () => undefined } })
const writers = Array.from({ length: 8 }, async (_, writer) => {
  for (let n = 0; ; n++) {
    const { txId } = await box.send(
      'order.placed',
      { writer, n },
      { idempotencyKey: `${name}-${writer}-${n}` },
    )
    process.stdout.write(`${txId}\n`)
  }
})
await Promise.all(writers)
