import { inspect } from 'node:util'
import { deedbox } from '../index.ts'

// Prints whatever an instance can be made to print, for the test that looks for the token in it.
try {
  const box = deedbox({ audit: { backoff: { base: 1, cap: 2 } } })
  box.log.info('sent to nobody', { key: process.env.DEEDBOX_API_KEY, env: { ...process.env } })
  await box
    .send('event', { authorization: `Bearer ${process.env.DEEDBOX_API_KEY}` }, { timeout: 5_000 })
    .catch((error: unknown) => {
      box.log.error('failed', error instanceof Error ? error : new Error(String(error)))
      console.log(inspect(error, { depth: 20, showHidden: true }))
    })
  console.log(inspect(box, { depth: 20, showHidden: true }), inspect(box.stats()), JSON.stringify(box))
  await box.close(1_000)
} catch (error) {
  console.log(inspect(error, { depth: 20, showHidden: true }))
}
console.log('said everything')
