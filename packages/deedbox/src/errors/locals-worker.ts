// Runs in a thread of its own, started by locals.ts.
import type { Debugger, InspectorNotification, Runtime } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { createRedactor } from '../safety/index.ts'
import { pathTest } from './error-frames.ts'
import { hasNested, unread, valueText } from './local-values.ts'
import type { CapturedFrame } from './locals.ts'
import {
  gateStates,
  type LocalsHands,
  type LocalsWorkerData,
  type LocalsWorkerMessage,
} from './locals-messages.ts'

/** How many frames of an error are looked into. */
const mostFrames = 5
const mostVariables = 50
/** The main thread stands still for so long at most, in milliseconds. */
const longestPause = 500

const data = workerData as LocalsWorkerData
const redactor = createRedactor(data.redaction)
const isSuppressed = pathTest(data.suppressedPaths)
const session = new Session()
/** The addresses of the main thread's scripts, by their number. */
const scripts = new Map<string, string>()
let recent: number[] = []

const tell = (message: LocalsWorkerMessage): void => parentPort?.postMessage(message)

const close = (): void => {
  session.disconnect()
  Atomics.store(data.gate, 0, gateStates.closed)
  Atomics.notify(data.gate, 0)
  // Without its listener nothing keeps this thread.
  parentPort?.close()
}

async function start(): Promise<void> {
  if (Atomics.load(data.gate, 0) !== gateStates.starting) return
  session.connectToMainThread()
  if (
    Atomics.compareExchange(data.gate, 0, gateStates.starting, gateStates.connected) !== gateStates.starting
  ) {
    session.disconnect()
    return
  }
  // Also what keeps this thread alive.
  parentPort?.on('message', close)
  const hands = await session.post('Runtime.evaluate', {
    expression: `globalThis[Symbol.for(${JSON.stringify(data.handOver)})]`,
  })
  const { objectId } = hands.result
  if (objectId === undefined) throw new Error('the main thread has nowhere to put them')
  session.on('Debugger.scriptParsed', ({ params }) => {
    if (params.url !== '') scripts.set(params.scriptId, params.url)
  })
  session.on('Debugger.paused', message => void onPause(message, objectId))
  await session.post('Debugger.enable')
  await session.post('Debugger.setPauseOnExceptions', { state: 'all' })
  tell({ kind: 'ready' })
}

async function onPause(
  { params }: InspectorNotification<Debugger.PausedEventDataType>,
  hands: string,
): Promise<void> {
  const timer = setTimeout(() => void session.post('Debugger.resume').catch(() => undefined), longestPause)
  try {
    if (params.reason === 'exception' || params.reason === 'promiseRejection') await capture(params, hands)
  } catch {
    // Closed meanwhile, or resumed: this error goes without.
  } finally {
    clearTimeout(timer)
    await session.post('Debugger.resume').catch(() => undefined)
  }
}

async function capture(paused: Debugger.PausedEventDataType, hands: string): Promise<void> {
  if (await isStorm()) return
  const error = (paused.data as { readonly objectId?: string } | undefined)?.objectId
  if (error === undefined) return
  // An error that is thrown on keeps what it was first thrown with.
  const { result } = await call(hands, 'keep', { objectId: error })
  if (result.value === true) return
  const frames: CapturedFrame[] = []
  for (const frame of paused.callFrames) {
    const url = frame.url || (scripts.get(frame.location.scriptId) ?? '')
    if (url === '' || isSuppressed(url)) continue
    frames.push({
      url,
      line: frame.location.lineNumber + 1,
      column: (frame.location.columnNumber ?? 0) + 1,
      function: frame.functionName,
      variables: await variablesOf(frame, hands),
    })
    if (frames.length >= mostFrames) break
  }
  await call(hands, 'keep', { objectId: error }, { value: JSON.stringify(frames) })
  await session.post('Runtime.releaseObjectGroup', { objectGroup: 'locals' })
}

/** Has one of the main thread's hands do something, for the worker has none there. */
function call(
  hands: string,
  hand: keyof LocalsHands,
  ...args: readonly Runtime.CallArgument[]
): Promise<Runtime.CallFunctionOnReturnType> {
  return session.post('Runtime.callFunctionOn', {
    objectId: hands,
    functionDeclaration: `function (...args) { return this.${hand}(...args) }`,
    arguments: [...args],
    objectGroup: 'locals',
    silent: true,
  })
}

async function variablesOf(frame: Debugger.CallFrame, hands: string): Promise<[string, string][]> {
  const variables = new Map<string, string>()
  for (const { type, object } of frame.scopeChain) {
    if (type !== 'local' && type !== 'block' && type !== 'catch') continue
    for (const { name, value } of await membersOf(object, hands)) {
      // Of two variables of one name the inner one counts.
      if (variables.has(name) || variables.size >= mostVariables) continue
      if (redactor.key(name).secret) variables.set(name, unread)
      else if (value !== undefined) {
        const members = hasNested(value) ? await membersOf(value, hands) : undefined
        const text = valueText(value, redactor, members)
        if (text !== undefined) variables.set(name, text)
      }
    }
  }
  return [...variables]
}

/** The own members of an object, as far as they may be read. */
async function membersOf(object: Runtime.RemoteObject, hands: string): Promise<Runtime.PropertyDescriptor[]> {
  const { objectId } = object
  if (objectId === undefined) return []
  const { result: copy } = await call(hands, 'copy', { objectId })
  if (copy.objectId === undefined) return []
  const { result } = await session.post('Runtime.getProperties', {
    objectId: copy.objectId,
    ownProperties: true,
    generatePreview: true,
  })
  return result
}

/** Whether errors come so fast that looking at them would hold up the service; then it looks away for a while. */
async function isStorm(): Promise<boolean> {
  const now = performance.now()
  recent = recent.filter(instant => now - instant < 1_000)
  if (recent.length < data.perSecond) {
    recent.push(now)
    return false
  }
  await session.post('Debugger.setPauseOnExceptions', { state: 'none' })
  const seconds = Math.max(1, Math.round(data.quietTime / 1_000))
  tell({
    kind: 'notice',
    sentence:
      `More than ${data.perSecond} errors a second are thrown: local variables are not captured for ` +
      `${seconds} s, now and whenever that happens again.`,
  })
  setTimeout(() => {
    recent = []
    void session.post('Debugger.setPauseOnExceptions', { state: 'all' }).catch(() => undefined)
  }, data.quietTime).unref()
  return true
}

await start()
