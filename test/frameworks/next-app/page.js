import { log } from 'deedbox'
import { notFound, redirect } from 'next/navigation'

export const dynamic = 'force-dynamic'

export default async function Page({ params }) {
  const { what } = await params
  log.info(`page ${what}`)
  if (what === 'missing') notFound()
  if (what === 'moved') redirect('/ok')
  if (what === 'broken') throw new Error('component failure')
  return <p>{what}</p>
}
