import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { command, deedbox, root, run, tempFolder } from './ledger-process.ts'

/** Folders of the test's own for everything that the command could be led to touch. */
function rooms(t: TestContext): { folder: string; temporary: string; env: NodeJS.ProcessEnv } {
  const folder = tempFolder(t)
  const temporary = join(folder, 'temporary')
  for (const name of ['temporary', 'home', 'cwd']) mkdirSync(join(folder, name))
  const env = {
    ...process.env,
    TMPDIR: temporary,
    HOME: join(folder, 'home'),
    XDG_STATE_HOME: join(folder, 'home', 'state'),
    // Node's cache of compiled code is the command's, not the lab's.
    XDG_CACHE_HOME: join(folder, 'cache'),
    DEEDBOX_DATA: join(folder, 'home', 'data'),
    DEEDBOX_GUARD: join(folder, 'home', 'guard'),
    DEEDBOX_SIGNING_KEY: 'no key at all',
  }
  return { folder, temporary, env }
}

const all = (code: string, start = 'starts') => `${code} ${code} ${code} ${code} ${code} ${start}`

/** What each attack has to come to, in the order no_key, key, checkpoint, receipt, guard, start, others. */
const expected: { attack: string; title: string; said: string; index?: number }[] = [
  { attack: 'nothing', title: 'an untouched ledger: ok', said: 'ok_unpinned ok ok ok ok starts' },
  {
    attack: 'edit-payload',
    title: 'P1 an edited payload: content_mismatch',
    said: all('content_mismatch'),
    index: 120,
  },
  {
    attack: 'edit-search-column',
    title: 'F14 an edited search column: index_mismatch',
    said: all('index_mismatch'),
    index: 120,
  },
  {
    attack: 'delete',
    title: 'F9 a deleted event: missing_index',
    said: all('missing_index'),
    index: 120,
  },
  {
    attack: 'swap',
    title: 'F9 two swapped events: content_mismatch',
    said: all('content_mismatch'),
    index: 120,
  },
  {
    attack: 'forge-erasure',
    title: 'a pretended erasure: content_missing',
    said: all('content_missing'),
    index: 120,
  },
  {
    attack: 'forge-erasure-leaf',
    title: 'a pretended erasure with a leaf that no tree holds: content_missing',
    said: all('content_missing'),
    index: 120,
  },
  {
    attack: 'forge-checkpoint',
    title: 'F9 a forged checkpoint: bad_signature',
    said: all('bad_signature'),
  },
  {
    attack: 'forget-checkpoint',
    title: 'a deleted published checkpoint: nobody notices yet',
    said: 'ok_unpinned ok ok ok ok starts',
  },
  {
    attack: 'edit-unattested-column',
    title: 'F14 a changed column that nothing attests: nobody notices',
    said: 'ok_unpinned ok ok ok ok starts',
  },
  {
    attack: 'truncate',
    title: 'F10 an end cut off to a published checkpoint: truncated, and rolled_back at the start',
    said: 'ok_unpinned ok truncated truncated truncated rolled_back',
  },
  {
    attack: 'restore',
    title: 'P22 an old copy restored: truncated, and rolled_back at the start',
    said: 'ok_unpinned ok truncated truncated truncated rolled_back',
  },
  {
    attack: 'restore-with-guard',
    title: 'P22 an old copy restored with its guard: truncated for who kept something',
    said: 'ok_unpinned ok truncated truncated ok starts',
  },
  {
    attack: 'rewrite',
    title: 'F10 history rewritten without the key: bad_signature',
    said: all('bad_signature', 'fork'),
  },
  {
    attack: 'rewrite-own-key',
    title: 'F9 history rewritten under another key: bad_signature for who has the right one',
    said: 'ok_unpinned bad_signature bad_signature bad_signature bad_signature signing_key_mismatch',
  },
  {
    attack: 'rewrite-stolen-key',
    title: 'F10 history rewritten with the key: fork for who kept something, and at the start',
    said: 'ok_unpinned ok fork fork fork fork',
  },
  {
    attack: 'rewrite-as-operator',
    title: 'F10 history and guard rewritten with the key: fork for who kept something outside',
    said: 'ok_unpinned ok fork fork ok starts',
  },
  {
    attack: 'truncate-as-operator',
    title: 'F10 an end cut off and signed anew: truncated for who kept something outside',
    said: 'ok_unpinned ok truncated truncated ok starts',
  },
  {
    attack: 'rewrite-the-end',
    title: 'what came after all that was kept, rewritten with the key: nobody notices',
    said: 'ok_unpinned ok ok ok ok starts',
  },
  {
    attack: 'split-view',
    title: 'two histories for two people: only comparing shows the fork',
    said: 'ok_unpinned ok ok ok ok starts fork',
  },
  {
    attack: 'invent',
    title: 'an invented event under a false time: nobody notices',
    said: 'ok_unpinned ok ok ok ok starts',
  },
  {
    attack: 'alter-receipt',
    title: 'F9 an altered receipt: content_mismatch',
    said: 'content_mismatch content_mismatch',
    index: 150,
  },
  {
    attack: 'invent-receipt',
    title: 'F17 a receipt of a tree of one invented leaf: bad_signature for who has the key',
    said: 'ok_unpinned bad_signature',
    index: 0,
  },
]

interface Line {
  attack: string
  caught: boolean
  asExpected: boolean
  outcomes: { said: string; noticed: boolean; index?: number; detail?: string }[]
}

test('the tamper lab performs every attack, and touches nothing but a folder that it removes', async t => {
  const { folder, temporary, env } = rooms(t)
  const { code, stdout, stderr } = await deedbox(['tamper-lab', '--json'], { env, cwd: join(folder, 'cwd') })
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  const left = ['temporary', 'home', 'cwd'].flatMap(name => readdirSync(join(folder, name)))
  assert.deepEqual({ left, temporary: readdirSync(temporary) }, { left: [], temporary: [] })
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Line)
  assert.deepEqual(
    lines.map(({ attack }) => attack),
    expected.map(({ attack }) => attack),
  )
  for (const [i, { title, said, index }] of expected.entries()) {
    await t.test(title, () => {
      const { outcomes, caught, asExpected } = lines[i]!
      assert.equal(outcomes.map(outcome => outcome.said).join(' '), said)
      const first = outcomes.find(({ noticed }) => noticed)
      assert.deepEqual(
        { caught, asExpected, index: first?.index },
        { caught: first !== undefined, asExpected: true, index },
      )
      assert.equal(first === undefined, first?.detail === undefined)
    })
  }
})

test('in a pipe the table is the one in the guide; with --keep the real commands say the same of each ledger', async t => {
  const { folder, temporary, env } = rooms(t)
  const lab = join(folder, 'lab')
  const kept = await deedbox(['tamper-lab', '--keep', lab], { env })
  assert.equal(kept.code, 0, kept.stderr)
  assert.deepEqual(readdirSync(temporary), [])
  const table = kept.stdout.slice(0, kept.stdout.indexOf('\nKept in '))
  assert.doesNotMatch(table, /\x1b/)
  assert.equal(Math.max(...table.split('\n').map(line => line.length)), 80)
  const guide = readFileSync(join(root, 'docs', 'guide', 'tamper-lab.md'), 'utf8')
  const printed = /```\n(A ledger of [\s\S]*?)```/.exec(guide)?.[1]
  // The keys of the forgers are new ones each time.
  const anonymous = (text: string | undefined) => text?.replace(/\b[0-9a-f]{8}\b/g, '00000000')
  assert.equal(anonymous(table), anonymous(printed))
  const commands = kept.stdout.split('\n').filter(line => line.startsWith('  DEEDBOX_GUARD='))
  const ended = []
  for (const line of commands) {
    const { DEEDBOX_SIGNING_KEY, ...without } = env
    const { code, stdout, stderr } = await run('bash', ['-uc', line], { cwd: root, env: without })
    ended.push({ code, says: (stdout + stderr).split('\n').find(text => /^[a-z_]+$|^deedbox: /.test(text)) })
  }
  assert.deepEqual(
    ended.map(({ code }) => code),
    [10, 15, 1],
  )
  assert.deepEqual([ended[0]?.says, ended[1]?.says], ['content_mismatch', 'fork'])
  assert.match(ended[2]?.says ?? '', /^deedbox: The database has 200 entries, but 320 were signed already/)
  const again = await deedbox(['tamper-lab', '--keep', lab], { env })
  assert.equal(again.code, 2)
  assert.match(again.stderr, /^deedbox: --keep: .* is not empty/)
  writeFileSync(join(folder, 'file'), '')
  const onFile = await deedbox(['tamper-lab', '--keep', join(folder, 'file')], { env })
  assert.equal(onFile.code, 2, onFile.stderr)
})

test('SIGINT in the middle removes the laboratory', async t => {
  const { temporary, env } = rooms(t)
  const child = spawn(process.execPath, [command, 'tamper-lab'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let err = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    err += text
  })
  const ended = once(child, 'exit')
  while (readdirSync(temporary).length === 0) await new Promise(done => setImmediate(done))
  child.kill('SIGINT')
  assert.deepEqual(await ended, [130, null])
  assert.match(err, /^deedbox: SIGINT ended the laboratory/)
  assert.deepEqual(readdirSync(temporary), [])
})
