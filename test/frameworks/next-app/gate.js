import { log } from 'deedbox'
import { NextResponse } from 'next/server'

/** Runs ahead of every request: proxy.ts in Next 16, middleware.ts in 15. */
export function gate(request) {
  const { pathname, searchParams } = request.nextUrl
  if (pathname === '/before') throw new Error('failure before')
  if (searchParams.has('gate')) log.info('passed the gate')
  return NextResponse.next()
}
