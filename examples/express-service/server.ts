// A small shop, observed by Deedbox. DEEDBOX_URL and DEEDBOX_API_KEY say which ledger its audit events go to.
import { deedbox, listen } from 'deedbox'
import { health, observe } from 'deedbox/express'
import express from 'express'

const box = deedbox({ service: 'shop' })

const app = express()
app.use(health(box))
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

await listen(app)
