import { closeSync, fsyncSync, openSync } from 'node:fs'

/**
 * Makes the names in a folder durable: without this a power cut could keep a file and lose its name (pitfall P13).
 * Windows has no such call, and needs none.
 */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
