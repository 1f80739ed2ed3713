import { deedbox } from '../index.ts'

// A script outside any server: it names one event and returns, or only queues one, as HOW says.
const box = deedbox({ service: 'script' })
if (process.env.HOW === 'job') box.run({ name: 'nightly' }, () => box.event('job.done'))
else if (process.env.HOW === 'unawaited') void box.send('script.done', { ok: true })
else await box.send('script.done', { ok: true })
