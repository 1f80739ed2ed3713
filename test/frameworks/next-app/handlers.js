// What the routes of the fixture do; each gets a route.js of its own when the app is put together (see ../next.ts).
import { Readable } from 'node:stream'
import { current, event, get, log, set, tracked } from 'deedbox'
import { instance } from 'deedbox/next'
import { notFound, redirect } from 'next/navigation'
import { after } from 'next/server'
import { z } from 'zod'

/** What the conformance suite hears; as every bundle has modules of its own, it is handed over globally. */
const stage = () => globalThis.deedboxSuite.stage
const turn = () => new Promise(setImmediate)
const bytes = text => new TextEncoder().encode(text)
const plain = body => new Response(body, { headers: { 'content-type': 'text/plain' } })

export const ok = () => Response.json({ ok: true })
export const empty = () => new Response(null, { status: 204 })
export const found = () => new Response(null, { status: 302, headers: { location: '/ok' } })

export function throwError() {
  throw new Error('sync failure')
}

export function throwText() {
  throw 'not an Error'
}

export function throwHostile() {
  throw stage().hostileError()
}

export function sick() {
  throw new Error('sick')
}

export async function reject() {
  await turn()
  throw new Error('async failure')
}

/** Next runs nothing behind a handler, so services wrap theirs. */
const behind = handler => async request => {
  await handler(request)
  throw new Error('failure after')
}
export const afterHandler = behind(ok)

export function hang() {
  stage().arrived('/hang')
  return new Promise(() => {})
}

export async function slow() {
  stage().arrived('/slow')
  await stage().mayAnswer
  return ok()
}

export const stream = () =>
  plain(
    new ReadableStream({
      start(controller) {
        controller.enqueue(bytes('first'))
        stage().arrived('/stream')
      },
    }),
  )

export const brokenStream = () =>
  plain(
    new ReadableStream({
      start: controller => controller.enqueue(bytes('first')),
      async pull() {
        await turn()
        throw new Error('stream failure')
      },
    }),
  )

export const piped = () => plain(Readable.toWeb(Readable.from(Array(16).fill(Buffer.alloc(65_536, 'x')))))

export const serverSentEvents = () =>
  new Response(
    new ReadableStream({
      async start(controller) {
        for (const n of [1, 2, 3]) {
          controller.enqueue(bytes(`data: ${n}\n\n`))
          await turn()
        }
        controller.close()
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  )

/** Next only prints what a callback of `after` throws, so it has to be told. */
export function late() {
  after(async () => {
    await stage().mayFailLate
    current()?.fail(new Error('late failure'))
  })
  return ok()
}

export async function json(request) {
  try {
    return Response.json(await request.json())
  } catch (error) {
    return Response.json({ error: error.name }, { status: 400 })
  }
}

const schema = z.object({ a: z.int() })

/** What a service does that answers 400 itself; it tells us the error, since Next never sees it. */
export async function validated(request) {
  const { error, data } = schema.safeParse(await request.json())
  if (error === undefined) return Response.json(data)
  current()?.fail(error)
  return Response.json({ detail: error.issues }, { status: 400 })
}

export function listen(request) {
  const body = Readable.fromWeb(request.body)
  return new Promise(answer => {
    body.on('data', () => undefined)
    body.on('end', () => {
      stage().inEndListener()
      log.info('body read')
      answer(ok())
    })
  })
}

export async function upload(request) {
  stage().arrived('/upload')
  return Response.json({ length: await stage().receive(Readable.fromWeb(request.body)) })
}

export async function named(_request, { params }) {
  const n = Number((await params).n)
  event(`named.${n}`)
  set({ n })
  await turn()
  log.info(`in ${n}`)
  return Response.json({ n: get('n') })
}

/** The suite's rules differ from test to test; a service of its own wraps once. */
export async function trackedRoute(request, context) {
  const { name } = await context.params
  const { input, work } = stage().tracked.get(name)
  return tracked(input, async () => Response.json(await work()))(request, context)
}

export async function wander(_request, { params }) {
  await stage().wander(Number((await params).n))
  return ok()
}

// What only ../next-processes.ts asks for, in a process of Next's own.

export const unguarded = async request => Response.json(await request.json())
export const goElsewhere = () => redirect('/ok')
export const nothingHere = () => notFound()

export function afterwards() {
  after(async () => {
    await turn()
    log.info('afterwards')
  })
  return ok()
}

export const tellInstance = () => Response.json({ requestId: instance().requestId })

/** Answers once two requests are here, so that both are under way at once. */
let waiting
export async function meet(_request, { params }) {
  const { n } = await params
  set({ n })
  log.info(`meets ${n}`)
  if (waiting === undefined) {
    await new Promise(go => {
      waiting = go
    })
  } else {
    waiting()
    waiting = undefined
  }
  await turn()
  log.info(`met ${n}`)
  return Response.json({ n: get('n') })
}
