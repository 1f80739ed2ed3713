import { log } from 'deedbox'

/** An API route of the pages router. */
export default function handler(request, response) {
  log.info('legacy')
  if (request.query.id === 'bad') throw new Error('legacy failure')
  response.json({ ok: true })
}
