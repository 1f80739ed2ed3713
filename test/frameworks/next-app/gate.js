import { log } from 'deedbox'
import { NextResponse } from 'next/server'

/** Runs ahead of every request: proxy.ts in Next 16, middleware.ts in 15. */
export function gate(request) {
  const { pathname, searchParams } = request.nextUrl
  if (pathname === '/before') throw new Error('failure before')
  const closed = request.headers.get('x-gate')
  if (closed === 'login') return new NextResponse(null, { status: 401 })
  if (closed === 'https') return NextResponse.redirect('https://localhost/', 308)
  if (searchParams.has('gate')) log.info('passed the gate')
  return NextResponse.next()
}
