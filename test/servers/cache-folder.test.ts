import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cacheFolder, madeOnce } from './cache-folder.ts'

/** A process that makes a folder of one file, whose second half it writes once it is told to. */
function aMaker(t: TestContext, name: string) {
  const source = `
    import { appendFileSync, readSync } from 'node:fs'
    import { madeOnce } from ${JSON.stringify(join(import.meta.dirname, 'cache-folder.ts'))}
    const folder = madeOnce(process.argv[1], (made, work) => {
      appendFileSync(made + '/program', 'first half, ')
      console.log(work)
      readSync(0, Buffer.alloc(1))
      appendFileSync(made + '/program', 'second half')
    })
    console.log(folder)`
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source, name], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  child.stdout.setEncoding('utf8')
  return child
}

function aName(t: TestContext): string {
  const name = `test-${process.pid}-${Math.random().toString(36).slice(2)}`
  t.after(() => rmSync(join(cacheFolder(), name), { recursive: true, force: true }))
  return name
}

test('two test files that make a server at once get a whole one, and one is kept', async t => {
  const name = aName(t)
  const folder = join(cacheFolder(), name)
  const makers = [aMaker(t, name), aMaker(t, name)]
  const works = await Promise.all(makers.map(async ({ stdout }) => String((await once(stdout, 'data'))[0])))
  assert(!existsSync(folder), "half of it is nobody's")
  for (const maker of makers) {
    const said = once(maker.stdout, 'data')
    maker.stdin.end('.')
    assert.deepEqual(await said, [`${folder}\n`])
    assert.equal(readFileSync(join(folder, 'program'), 'utf8'), 'first half, second half')
  }
  await Promise.all(makers.map(async maker => maker.exitCode ?? once(maker, 'exit')))
  for (const work of works) assert(!existsSync(work.trim()))
})

test('a test file that is killed while it makes a server leaves nothing that another one would take', async t => {
  const name = aName(t)
  const maker = aMaker(t, name)
  const work = String((await once(maker.stdout, 'data'))[0]).trim()
  t.after(() => rmSync(work, { recursive: true, force: true }))
  const gone = once(maker, 'exit')
  maker.kill('SIGKILL')
  await gone
  assert(existsSync(work))
  let made = 0
  const make = (): void => void made++
  madeOnce(name, make)
  madeOnce(name, make)
  assert.equal(made, 1)
  assert(existsSync(work), 'for all that is known, somebody is still at it')
  const twoDaysAgo = Date.now() / 1_000 - 2 * 86_400
  utimesSync(work, twoDaysAgo, twoDaysAgo)
  madeOnce(aName(t), make)
  assert(!existsSync(work))
})
