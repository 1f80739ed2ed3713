import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { type Attack, attacks, isAllAsExpected, reportText, runExperiment } from '../tamper-lab/index.ts'
import { tempFolder } from '../testing/temp-ledger.ts'
import { verifyFolder } from './verify-folder.ts'

const payload = attacks.find(({ name }) => name === 'edit-payload')!
const column = attacks.find(({ name }) => name === 'edit-unattested-column')!

async function reportOf(t: TestContext, attack: Attack): Promise<{ passes: boolean; text: string }> {
  const experiment = await runExperiment({ folder: tempFolder(t), attacks: [attack], verify: verifyFolder })
  const text = reportText(experiment, { width: 200, colours: false })
  return { passes: isAllAsExpected(experiment), text }
}

test('F16 the command ends with 1 when an attack is not caught by what should catch it', t => {
  const script = `
    import { attacks } from ${JSON.stringify(new URL('../tamper-lab/index.ts', import.meta.url).href)}
    import { tamperLab } from ${JSON.stringify(new URL('./tamper-lab.ts', import.meta.url).href)}
    const named = name => attacks.find(attack => attack.name === name)
    const silent = { ...named('edit-payload'), perform: named('edit-unattested-column').perform }
    process.exitCode = await tamperLab([], { progress() {}, progressEnd() {} }, [silent])`
  const temporary = tempFolder(t)
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module', '-e', script],
    { encoding: 'utf8', cwd: import.meta.dirname, env: { ...process.env, TMPDIR: temporary } },
  )
  assert.deepEqual({ status, stderr }, { status: 1, stderr: '' })
  assert.match(stdout, /! Edit a payload/)
  assert.match(
    stdout.replaceAll('\n', ' '),
    /NOT AS IT SHOULD BE: "Edit a payload": verification with the key says ok; expected: content_mismatch\./,
  )
  assert.doesNotMatch(stdout, /^Proved/m)
  assert.match(stdout, /^Not proved: anything\./m)
  assert.deepEqual(readdirSync(temporary), [])
})

test('an attack that is noticed, though the table says that nobody does, fails the lab', async t => {
  const { passes, text } = await reportOf(t, { ...payload, expected: column.expected })
  assert.equal(passes, false)
  assert.match(text, /the guard says content_mismatch; expected: ok\./)
  assert.match(text, /ok by all means/)
})

test('a means that the table names and that was not asked fails the lab', async t => {
  const { passes, text } = await reportOf(t, {
    ...payload,
    expected: { ...payload.expected, others: 'fork' },
  })
  assert.equal(passes, false)
  assert.match(text, /the other person's checkpoint says nothing; expected: fork/)
})

test('F16 a verification that calls everything ok, or nothing, fails the lab', async t => {
  for (const verdict of ['ok', 'content_mismatch'] as const) {
    const folder = tempFolder(t)
    const verify: typeof verifyFolder = async options => ({ ...(await verifyFolder(options)), verdict })
    const experiment = await runExperiment({ folder, attacks: [payload], verify })
    assert.equal(isAllAsExpected(experiment), false, verdict)
    const text = reportText(experiment, { width: 80, colours: false })
    assert.match(text.replaceAll('\n', ' '), /The untouched copy: NOT ok, so nothing below/)
  }
})

test('the table keeps to the width that it is given, and is the same text with colours', async t => {
  const folder = tempFolder(t)
  const few = attacks.filter(({ name }) => ['edit-payload', 'forge-checkpoint', 'split-view'].includes(name))
  const experiment = await runExperiment({ folder, attacks: few, verify: verifyFolder })
  for (const [asked, actual] of [
    [20, 72],
    [80, 80],
    [100, 100],
    [300, 132],
  ] as const) {
    const text = reportText(experiment, { width: asked, colours: false })
    const widest = Math.max(...text.split('\n').map(line => line.length))
    assert.equal(widest, actual)
    assert(!/ $/m.test(text))
    const coloured = reportText(experiment, { width: asked, colours: true })
    assert.match(coloured, /\x1b\[32mcontent_mismatch/)
    assert.equal(coloured.replaceAll(/\x1b\[\d+m/g, ''), text)
  }
})
