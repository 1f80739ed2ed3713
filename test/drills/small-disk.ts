import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Run, run } from '../end-to-end/ledger-process.ts'

/**
 * The small disk on which a drill runs. A test file runs itself once more in namespaces of its own, where a disk of
 * 12 MB is mounted here, which goes with them; `undefined` outside.
 */
export function smallDisk(): string | undefined {
  return process.env.DEEDBOX_DRILL_DISK
}

const namespaces = ['unshare', '--user', '--map-root-user', '--mount']
const mount = 'mount -t tmpfs -o size=12m tmpfs "$DEEDBOX_DRILL_DISK"'

/** Why there can be no such disk here; `false` if there can. */
export function cannotMount(): string | false {
  const tried = spawnSync(namespaces[0]!, [...namespaces.slice(1), 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'])
  const said = tried.error?.message ?? tried.stderr.toString().split('\n')[0]
  return tried.status === 0 ? false : `no disk can be mounted here: ${said}`
}

/** Runs a test file on a small disk that is mounted at the folder; resolves to what it printed. */
export async function onSmallDisk(file: string, folder: string): Promise<Run> {
  const again = [process.execPath, '--conditions=@deedbox/source', '--test', file]
  const [program = '', ...args] = [...namespaces, 'sh', '-c', `${mount} && exec "$@"`, 'sh', ...again]
  // Or the inner test runner takes itself for a part of the outer one, and reports to it alone.
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const inner = await run(program, args, { env: { ...env, DEEDBOX_DRILL_DISK: folder } })
  assert.equal(inner.code, 0, inner.stdout + inner.stderr)
  return inner
}

/** Takes every byte that is left on the disk of a folder; removing the file `filler` gives them back. */
export function fill(folder: string): void {
  const file = openSync(join(folder, 'filler'), 'a')
  try {
    for (let size = 1 << 20; size >= 1; ) {
      try {
        if (writeSync(file, Buffer.alloc(size)) < size) size >>= 1
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
        size >>= 1
      }
    }
  } finally {
    closeSync(file)
  }
}
