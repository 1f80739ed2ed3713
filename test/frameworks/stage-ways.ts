import { EventEmitter, once } from 'node:events'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Worker } from 'node:worker_threads'
import type { Deedbox } from 'deedbox'

/** The ways that {@link wander} goes, in the order of their lines. */
export const ways = [
  'microtask',
  'tick',
  'immediate',
  'timeout',
  'interval',
  'emitter',
  'stream',
  'pipeline',
  'queue',
  'worker',
  'job',
] as const

/** A queue as services have them: one consumer for all, started by whoever comes first, outside of later requests. */
const waiting: (() => void)[] = []
let consuming = false

function enqueue(job: () => void): void {
  waiting.push(job)
  if (consuming) return
  consuming = true
  setImmediate(() => {
    consuming = false
    for (const each of waiting.splice(0)) each()
  })
}

/**
 * Goes through what services go through between a request and its answer, and logs `<way> <n>` on each way. What a
 * caller hands to a queue of its own is bound by {@link Deedbox.bind}: nobody else can know whose it is.
 */
export async function wander(box: Deedbox, n: number): Promise<void> {
  const say = (way: (typeof ways)[number]): void => box.log.info(`${way} ${n}`)
  /** Says the way in a callback of it, then goes on. */
  const by = (way: (typeof ways)[number], start: (callback: () => void) => void): Promise<void> =>
    new Promise(go =>
      start(() => {
        say(way)
        go()
      }),
    )
  await by('microtask', queueMicrotask)
  await by('tick', callback => process.nextTick(callback))
  await by('immediate', setImmediate)
  await by('timeout', callback => setTimeout(callback, 1))
  await by('interval', callback => {
    const timer = setInterval(() => {
      clearInterval(timer)
      callback()
    }, 1)
  })
  await by('emitter', callback => {
    const emitter = new EventEmitter().once('go', callback)
    setImmediate(() => emitter.emit('go'))
  })
  const heard = new Transform({
    transform(chunk, _encoding, done) {
      say('stream')
      done(null, chunk)
    },
  })
  heard.end('x')
  heard.resume()
  await once(heard, 'end')
  await pipeline(['a'], async source => {
    for await (const _ of source) say('pipeline')
  })
  await by('queue', callback => enqueue(box.bind(callback)))
  await askWorker(n)
  say('worker')
  await box.run({ name: 'part', requestId: `job-${n}` }, async () => {
    await new Promise(setImmediate)
    say('job')
  })
}

let worker: Worker | undefined

/** One worker for all requests; its answers come from the worker's own turn. */
async function askWorker(n: number): Promise<void> {
  worker ??= new Worker(
    "const { parentPort } = require('node:worker_threads'); parentPort.on('message', n => parentPort.postMessage(n))",
    { eval: true },
  )
  const asked = worker
  asked.unref()
  asked.setMaxListeners(0)
  await new Promise<void>(go => {
    const answer = (m: number): void => {
      if (m !== n) return
      asked.off('message', answer)
      go()
    }
    asked.on('message', answer)
    asked.postMessage(n)
  })
}

/** Reads an upload with listeners, logs `upload read`, and resolves to its length. */
export function receive(box: Deedbox, upload: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    let length = 0
    upload.on('data', (chunk: Buffer) => {
      length += chunk.length
    })
    upload.on('end', () => {
      box.log.info('upload read')
      resolve(length)
    })
    upload.on('error', reject)
  })
}

/** Logs values that throw when they are looked at, and gives an error whose causes form a circle. */
export function hostileError(box: Deedbox): Error {
  const getter = Object.defineProperty({}, 'secret', {
    enumerable: true,
    get() {
      throw new Error('the getter throws')
    },
  })
  const circle: Record<string, unknown> = { getter }
  circle.self = circle
  box.log.info('hostile values', { circle, revoked: revokedProxy(), big: 2n ** 80n, lone: '\ud800' })
  const inner = new Error('inner failure')
  const outer = new Error('hostile failure', { cause: inner })
  inner.cause = outer
  return outer
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
