// A small shop, observed by Deedbox. DEEDBOX_URL and DEEDBOX_API_KEY say which ledger its audit events go to.
import { deedbox } from 'deedbox'
import { observe } from 'deedbox/express'
import express from 'express'

const box = deedbox({ service: 'shop' })

const app = express()
app.use(observe(box))
app.use(express.json())

app.get('/orders/:id', (req, res) => {
  box.log.info('looking the order up', { order: req.params.id })
  res.json({ id: req.params.id, state: 'shipped' })
})

app.post('/checkout', (req, res) => {
  box.event('payment.checkout.initiated')
  box.set({ user_id: 'u_42', amount: req.body?.amount ?? 0 })
  box.log.info('charging the card', { attempt: 1, card: req.body?.card })
  res.json({ ok: true, user: box.get('user_id') })
})

app.get('/broken', () => {
  throw new Error('the warehouse does not answer')
})

const port = Number(process.env.PORT ?? 3000)
const server = app.listen(port, async error => {
  if (error === undefined) return void box.log.info('listening', { port })
  box.log.critical('cannot listen', { port, error })
  await box.close()
  process.exit(1)
})

process.once('SIGTERM', stop)
process.once('SIGINT', stop)

async function stop(): Promise<void> {
  server.close()
  server.closeIdleConnections()
  await box.close()
}
