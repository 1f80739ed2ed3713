import { randomUUID } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { createRedactor, errorMessage, findVariable, type RedactionOptions } from '../safety/index.ts'
import { boringPaths, type TextTest } from './error-frames.ts'
import { copyReadable, HeldSecrets } from './local-copies.ts'
import {
  gateStates,
  type LocalsHands,
  type LocalsWorkerData,
  type LocalsWorkerMessage,
} from './locals-messages.ts'

/** What the variables of one frame were when an error was thrown through it. */
export interface CapturedFrame {
  /** The file as the running code has it: a `file:` URL or path, before source maps. */
  readonly url: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  readonly function: string
  /** Names and values as text, secrets left out. */
  readonly variables: readonly (readonly [name: string, value: string])[]
}

/** Where values of local variables come from, while it is open. */
export interface Locals {
  /** The frames of what was thrown, innermost first; none if it was thrown unseen. Never throws. */
  frames(thrown: unknown): readonly CapturedFrame[]
  /** Whether errors thrown from now on are seen; settled once that is known. Never rejects. */
  readonly ready: Promise<boolean>
  /** Ends it; what was captured stays readable. */
  close(): Promise<void>
}

/** What {@link openLocals} needs to know. */
export interface LocalsOptions {
  /** The environment that the service runs in: anything but `development` leaves it off. */
  readonly environment: string
  /** Where `DEEDBOX_LOCALS` is looked up. Default `process.env`. */
  readonly variables?: Readonly<Record<string, string | undefined>>
  /** The redaction of the instance: variables with secret names are not read. */
  readonly redaction?: RedactionOptions
  /** Frames of these paths are not looked into. Default: `node_modules` and Node itself. */
  readonly suppressedPaths?: readonly TextTest[]
  /** How many errors a second are looked at before it pauses. Default 10. */
  readonly perSecond?: number
  /** For how many milliseconds it pauses then. Default 10,000. */
  readonly quietTime?: number
  /** Told what goes wrong, each once. Default: a line on stderr. */
  readonly notify?: (sentence: string) => void
}

/** How long the end of the process is held up at most, in milliseconds. */
const longestFarewell = 500
/** Two would resume one another's pauses, so all of a process share one. */
let shared: { readonly locals: Locals; users: number } | undefined

/**
 * Captures the values of local variables of each error that is thrown, for `formatError`: a thread beside the main one
 * stops it for about a millisecond at each throw, caught or not, by Node's own debugger. Therefore off, with the answer
 * `undefined`, unless `DEEDBOX_LOCALS=1` and the environment is development. (FA-45, FA-58, ruling 14)
 *
 * Getters are not called, and frames above an `await` have no variables. One for a process: a further call shares the
 * first one's, with its options.
 */
export function openLocals(options: LocalsOptions): Locals | undefined {
  const wish = findVariable(options.variables ?? process.env, ['DEEDBOX_LOCALS'])?.value
  if ((wish !== '1' && wish !== 'true') || options.environment !== 'development') return undefined
  const notify = once(options.notify ?? writeNotice)
  const obstacle = findObstacle()
  if (obstacle !== undefined) {
    notify(`Local variables are not captured: ${obstacle}`)
    return undefined
  }
  try {
    shared ??= { locals: startLocals(options, notify), users: 0 }
  } catch (error) {
    notify(`Local variables are not captured: ${errorMessage(error)}`)
    return undefined
  }
  return handle(shared)
}

function findObstacle(): string | undefined {
  const inspector = process.features.inspector ? process.getBuiltinModule('node:inspector') : undefined
  if (inspector === undefined) return 'this Node is built without its inspector'
  // Whoever steps through the code by hand would have their breakpoints resumed by us.
  return inspector.url() === undefined ? undefined : 'a debugger may be attached (--inspect)'
}

function handle(of: { readonly locals: Locals; users: number }): Locals {
  of.users++
  let isOpen = true
  return {
    frames: of.locals.frames,
    ready: of.locals.ready,
    close: async () => {
      if (!isOpen) return
      isOpen = false
      if (--of.users > 0) return
      if (shared === of) shared = undefined
      await of.locals.close()
    },
  }
}

function startLocals(options: LocalsOptions, notify: (sentence: string) => void): Locals {
  const captured = new WeakMap<object, string>()
  const redactor = createRedactor(options.redaction)
  const secrets = new HeldSecrets()
  // Called by the worker, through the debugger, while this thread stands still.
  const hands: LocalsHands = {
    keep: (error, json) => {
      const isKnown = captured.has(error)
      if (!isKnown && json !== undefined) captured.set(error, secrets.blankIn(json))
      secrets.clear()
      return isKnown
    },
    copy: object => copyReadable(object, name => redactor.key(name).secret, secrets),
  }
  // The worker takes hold of it once; nobody else finds it afterwards.
  const handOver = Symbol.for(`deedbox.locals.${randomUUID()}`)
  Object.defineProperty(globalThis, handOver, { value: hands, configurable: true, enumerable: false })
  const forget = (): void => {
    Reflect.deleteProperty(globalThis, handOver)
  }
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const data: LocalsWorkerData = {
    gate,
    handOver: Symbol.keyFor(handOver) ?? '',
    redaction: options.redaction ?? {},
    suppressedPaths: options.suppressedPaths ?? boringPaths,
    perSecond: options.perSecond ?? 10,
    quietTime: options.quietTime ?? 10_000,
  }
  // In the sources files end in `.ts`, in the package in `.js`.
  const file = import.meta.url.endsWith('.ts') ? './locals-worker.ts' : './locals-worker.js'
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: data,
    // What the service has itself started with, preloads above all, is none of the worker's business.
    env: {},
    execArgv: [],
  })
  const gone = new Promise<void>(resolve => worker.once('exit', () => resolve()))
  let isClosing = false
  const ready = new Promise<boolean>(resolve => {
    worker.on('message', (message: LocalsWorkerMessage) => {
      if (message.kind === 'ready') {
        forget()
        // Until here it holds the process, so that whoever awaits `ready` gets an answer; from here on nothing does.
        worker.unref()
        resolve(true)
      } else notify(message.sentence)
    })
    worker.on('error', error => {
      if (!isClosing) notify(`Local variables are no longer captured: ${errorMessage(error)}`)
    })
    void gone.then(() => {
      forget()
      process.off('exit', leave)
      resolve(false)
    })
  })
  // An open session makes Node wait for its debugger at the end, and say so on stderr.
  const leave = (): void => {
    if (Atomics.compareExchange(gate, 0, gateStates.starting, gateStates.closed) !== gateStates.connected)
      return
    worker.postMessage('close')
    Atomics.wait(gate, 0, gateStates.connected, longestFarewell)
  }
  process.on('exit', leave)

  return {
    frames: thrown => readFrames(captured, thrown),
    ready,
    close: async () => {
      isClosing = true
      worker.ref()
      Atomics.compareExchange(gate, 0, gateStates.starting, gateStates.closed)
      worker.postMessage('close')
      await gone
    },
  }
}

function readFrames(captured: WeakMap<object, string>, thrown: unknown): readonly CapturedFrame[] {
  if (typeof thrown !== 'object' || thrown === null) return []
  const json = captured.get(thrown)
  return json === undefined ? [] : (JSON.parse(json) as CapturedFrame[])
}

function once(notify: (sentence: string) => void): (sentence: string) => void {
  const said = new Set<string>()
  return sentence => {
    if (said.has(sentence)) return
    said.add(sentence)
    try {
      notify(sentence)
    } catch {
      // Whoever cannot be told does not keep the service from going on.
    }
  }
}

function writeNotice(sentence: string): void {
  process.stderr.write(`deedbox: ${sentence}\n`)
}
