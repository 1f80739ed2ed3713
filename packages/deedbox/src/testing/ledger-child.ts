import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process that runs one of the fixtures of this folder. */
export interface Child {
  readonly process: ChildProcess
  /** What it wrote so far on both streams. */
  output(): string
  /** Resolves once the output contains the text; rejects if the process ends before. */
  said(text: string): Promise<void>
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/**
 * Starts a fixture with these variables and hardly any other, so that nothing of the surroundings decides.
 * @param way `channel: 'ipc'` for one that takes messages; `inside`, a command that runs it
 */
export function startChild(
  fixture: string,
  variables: Readonly<Record<string, string>>,
  way: { readonly channel?: 'ignore' | 'ipc'; readonly inside?: readonly string[] } = {},
): Child {
  const { channel = 'ignore', inside = [] } = way
  const file = fileURLToPath(new URL(fixture, import.meta.url))
  const [command = '', ...values] = [...inside, process.execPath, '--conditions=@deedbox/source', file]
  const child = spawn(command, values, {
    env: { PATH: process.env.PATH, DEEDBOX_SPOOL: process.env.DEEDBOX_SPOOL, ...variables },
    stdio: ['ignore', 'pipe', 'pipe', channel],
  })
  let text = ''
  const looking = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      for (const look of looking) look()
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  return {
    process: child,
    output: () => text,
    said: wanted =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!text.includes(wanted)) return
          looking.delete(look)
          resolve()
        }
        looking.add(look)
        look()
        void ended.then(() => reject(new Error(`ended without "${wanted}": ${text}`)))
      }),
    ended,
  }
}
