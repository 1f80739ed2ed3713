import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { run, tempFolder } from '../end-to-end/ledger-process.ts'
import { awaitingServer, printed, sendTo, sourceFile, startMove, writeTo } from '../end-to-end/moving.ts'

/** Set by this file for itself: it runs in namespaces of its own, with a small disk mounted here that goes with them. */
const disk = process.env.DEEDBOX_MOVE_DISK

const namespaces = ['unshare', '--user', '--map-root-user', '--mount']
const mount = 'mount -t tmpfs -o size=12m tmpfs "$DEEDBOX_MOVE_DISK"'

function cannotMount(): string | false {
  const tried = spawnSync(namespaces[0]!, [...namespaces.slice(1), 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'])
  const said = tried.error?.message ?? tried.stderr.toString().split('\n')[0]
  return tried.status === 0 ? false : `no disk can be mounted here: ${said}`
}

if (disk === undefined) {
  test('P13 a move to a full disk, on a disk of 12 MB of its own', { skip: cannotMount() }, async t => {
    const folder = tempFolder(t)
    const again = [process.execPath, '--conditions=@deedbox/source', '--test', import.meta.filename]
    const [program = '', ...args] = [...namespaces, 'sh', '-c', `${mount} && exec "$@"`, 'sh', ...again]
    // Or the inner test runner takes itself for a part of the outer one, and reports to it alone.
    const { NODE_TEST_CONTEXT, ...env } = process.env
    const inner = await run(program, args, { env: { ...env, DEEDBOX_MOVE_DISK: folder } })
    assert.equal(inner.code, 0, inner.stdout + inner.stderr)
    assert.match(inner.stdout, /pass 1\b/)
  })
} else {
  test('P13 a server whose disk is full takes nothing, says so, and takes it once there is space', async t => {
    const source = await sourceFile(tempFolder(t), 2_000)
    const server = await awaitingServer(t, tempFolder(t), { DEEDBOX_DATA: join(disk, 'data') })
    fill(disk)
    const refused = startMove(t, source, server.url)
    assert.equal(await refused.ended, 1)
    assert.match(refused.stderr(), /The disk of the server is full\.? Nothing was moved/)
    assert.equal(await writeTo(source), 'written')
    assert.equal(await sendTo(server.url), 'awaiting_move')
    rmSync(join(disk, 'filler'))
    const moved = startMove(t, source, server.url)
    assert.equal(await moved.ended, 0, moved.stderr())
    await printed(server, /without trusting it\./)
    assert.deepEqual([await writeTo(source), await sendTo(server.url)], ['ledger_moved', 'written'])
  })
}

/** Leaves room for the first piece and not for the second. */
function fill(folder: string): void {
  const file = openSync(join(folder, 'filler'), 'w')
  for (let written = 0; written < 10_500_000; ) written += writeSync(file, Buffer.alloc(100_000))
  closeSync(file)
}
