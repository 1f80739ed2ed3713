import { formatStack } from './format-error.ts'
import type { ErrorFormatOptions } from './format-options.ts'

/** How the stack of another thread is shown, and how long it is waited for. */
export interface WorkerStackOptions extends ErrorFormatOptions {
  /** Milliseconds until a thread that runs nothing counts as idle. Default 1,000. */
  readonly timeout?: number
}

interface CallFrame {
  readonly functionName: string
  /** Line and column from 0. */
  readonly location: {
    readonly scriptId: string
    readonly lineNumber: number
    readonly columnNumber?: number
  }
}

/** What a session of Node's inspector is asked and tells, as far as this file needs it. */
interface InspectorSession {
  connect(): void
  disconnect(): void
  on(event: string, listener: (message: { readonly params: unknown }) => void): unknown
  post(method: string, params: object, done: (error: Error | null) => void): void
}

/**
 * What a worker thread is doing right now, shown as the stack of an error is: Node's debugger stops it for a moment,
 * also in the middle of a loop that never ends. (FA-44)
 * @returns `undefined` for a thread that runs nothing within the time, or is no thread of this process any more
 * @throws Error where Node is built without its inspector
 */
export async function formatWorkerStack(
  worker: { readonly threadId: number },
  options: WorkerStackOptions = {},
): Promise<string | undefined> {
  const { Session } = await import('node:inspector')
  const lines = await pausedLines(
    new Session() as InspectorSession,
    worker.threadId,
    options.timeout ?? 1_000,
  )
  if (lines === undefined) return undefined
  return formatStack({ stack: `Error\n${lines.join('\n')}` }, options)
}

/** A frame as the stack of an error has it. */
function stackLine({ functionName, location }: CallFrame, url: string): string {
  const script = url === '' ? '<anonymous>' : url
  const place = `${script}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`
  return functionName === '' ? `    at ${place}` : `    at ${functionName} (${place})`
}

function pausedLines(
  session: InspectorSession,
  threadId: number,
  timeout: number,
): Promise<readonly string[] | undefined> {
  session.connect()
  return new Promise(resolve => {
    let target: string | undefined
    let messages = 0
    /** A frame says only the number of its script. */
    const urls = new Map<string, string>()
    const send = (method: string): void => {
      const message = JSON.stringify({ id: ++messages, method })
      // The thread may end at any time: then the answer does not come, and the time runs out.
      session.post('NodeWorker.sendMessageToWorker', { sessionId: target, message }, () => undefined)
    }
    const end = (lines: readonly string[] | undefined): void => {
      clearTimeout(patience)
      if (target === undefined) {
        session.disconnect()
      } else {
        // Forgets a pause that has not come yet, and lets the thread go on.
        send('Debugger.disable')
        session.post('NodeWorker.detach', { sessionId: target }, () => session.disconnect())
      }
      resolve(lines)
    }
    const patience = setTimeout(end, timeout, undefined)
    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      const { sessionId, workerInfo } = params as { sessionId: string; workerInfo: { workerId: string } }
      if (workerInfo.workerId !== String(threadId)) return
      target = sessionId
      send('Debugger.enable')
      send('Debugger.pause')
    })
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      const { sessionId, message } = params as { sessionId: string; message: string }
      if (sessionId !== target) return
      const { method, params: said } = JSON.parse(message) as { method?: string; params?: unknown }
      if (method === 'Debugger.scriptParsed') {
        const { scriptId, url } = said as { scriptId: string; url: string }
        urls.set(scriptId, url)
      } else if (method === 'Debugger.paused') {
        const { callFrames } = said as { callFrames: CallFrame[] }
        end(callFrames.map(frame => stackLine(frame, urls.get(frame.location.scriptId) ?? '')))
      }
    })
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, error => {
      if (error !== null) end(undefined)
    })
  })
}
