import { open } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { LedgerError } from '../errors.ts'
import type { MoveCaller } from './move-caller.ts'
import { type MoveManifest, type MoveStatus, pieceBytes } from './wire.ts'

/** Milliseconds between two looks at a server that re-reads what arrived. */
const lookInterval = 200

/** A move that the server has verified. */
export type VerifiedMove = Extract<MoveStatus, { state: 'ready' | 'installed' }>

/**
 * Sends a file in pieces, from where the server has it, and waits until the server has re-read it.
 *
 * @returns what the server found
 * @throws LedgerError what it refused, and what the file system says
 */
export async function sendFile(
  caller: MoveCaller,
  moveId: string,
  path: string,
  manifest: MoveManifest,
  onProgress: (what: string, done: number, total: number) => void,
): Promise<VerifiedMove> {
  const file = await open(path, 'r')
  try {
    let status = await caller.begin(moveId, manifest)
    while (status.state === 'receiving' && status.received < manifest.bytes) {
      onProgress('KB sent', Math.round(status.received / 1024), Math.round(manifest.bytes / 1024))
      const piece = new Uint8Array(Math.min(pieceBytes, manifest.bytes - status.received))
      await readFully(file, piece, status.received)
      const before = status.received
      status = await caller.send(moveId, before, piece)
      if (status.state === 'receiving' && status.received <= before) {
        throw new LedgerError('move_conflict', 'The server does not keep what it is sent.')
      }
    }
    if (status.state === 'receiving') status = await caller.check(moveId)
    while (status.state === 'checking') {
      onProgress('entries re-read by the server', status.done, status.total)
      await wait(lookInterval)
      status = await caller.status()
    }
    return found(status, moveId)
  } finally {
    await file.close()
  }
}

function found(status: MoveStatus, moveId: string): VerifiedMove {
  const isOurs = status.state !== 'awaiting' && status.moveId === moveId
  if (isOurs && (status.state === 'ready' || status.state === 'installed')) return status
  if (isOurs && status.state === 'refused') {
    throw new LedgerError(status.reason, `The server refused the ledger: ${status.message}`)
  }
  throw new LedgerError('move_conflict', 'The server was restarted, or began another move. Try again.')
}

async function readFully(
  file: Awaited<ReturnType<typeof open>>,
  piece: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesRead } = await file.read(piece, done, piece.length - done, position + done)
    if (bytesRead === 0) throw new LedgerError('storage_failed', 'The file became shorter while it was sent.')
    done += bytesRead
  }
}
