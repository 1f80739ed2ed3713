import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compiledProgram, type Ended } from '../testing/compiled-program.ts'
import { openLocals } from './index.ts'

const on = { DEEDBOX_LOCALS: '1' }
const opening = `import { formatError, openLocals } from 'ERRORS'
const locals = openLocals({ environment: 'development', ...OPTIONS })
if (await locals?.ready !== true) throw new Error('not ready')
`
const open = (options = ''): string => opening.replace('OPTIONS', `{ ${options} }`)

/** A handler that fails, in a service that answers with the trace. */
const service = `${open()}
import { createServer } from 'node:http'
import { once } from 'node:events'

interface Item { name: string; price: number }

function total(items: Item[], token: string): number {
  const seen = new Map([['cups', 1], ['apiKey', 2]])
  for (const item of items) {
    if (item.price < 0) {
      const by = { user: { name: 'ann', password: 'hunter2' }, at: new Date(0) }
      throw new RangeError(\`\${item.name} \${by} \${token.length} \${seen.size}\`)
    }
  }
  return 0
}

const parts = ['hunter2', 'token']
const server = createServer((request, response) => {
  const path = request.url
  try {
    total([{ name: 'cup', price: 3 }, { name: 'plate', price: -1 }], parts.join('-'))
  } catch (error) {
    response.end(formatError(error, { locals }) + path)
  }
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const answer = await fetch(\`http://127.0.0.1:\${server.address().port}/\`)
console.log(await answer.text())
server.close()
server.closeAllConnections()
await new Promise(resolve => setImmediate(resolve))
`

test('FA-45 FA-40 FA-41 a real error in a handler, with the values of its variables', async t => {
  const program = await compiledProgram(t, { 'src/main.ts': service })
  const { code, stdout, stderr } = await program.run('main.js', { env: on })
  assert.deepEqual([code, stderr], [0, ''])
  const frame = stdout.slice(stdout.indexOf(', in total\n'), stdout.indexOf('\nRangeError: '))
  assert.equal(
    frame,
    `, in total
    10  function total(items: Item[], token: [redacted] number {
    11    const seen = new Map([['cups', 1], ['apiKey', 2]])
    12    for (const item of items) {
    13      if (item.price < 0) {
    14        const by = { user: { name: 'ann', password: [redacted] }, at: new Date(0) }
--> 15        throw new RangeError(\`\${item.name} \${by} \${token.length} \${seen.size}\`)
    16      }
    ..................................................
     by = { user: { name: "ann", password: [redacted] }, at: Thu
          Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal
          Time) }
     item = { name: "plate", price: -1 }
     items = [{ name: "cup", price: 3 }, { name: "plate", price:
             -1 }]
     token = *****
     seen = Map(2) { "cups" => 1, "apiKey" => [redacted] }
    ..................................................
`,
  )
  assert.ok(!stdout.includes('hunter2'), stdout)
  await t.test('FA-58 and by default without', async () => {
    for (const env of [{}, { DEEDBOX_LOCALS: '' }, { DEEDBOX_LOCALS: '0' }] as Record<string, string>[]) {
      const ended = await program.run('main.js', { env })
      assert.match(ended.stderr, /Error: not ready/)
    }
  })
})

test('FA-45 FA-58 it stays off in production, and unless it is asked for', () => {
  for (const environment of ['production', 'testing', 'staging', ''])
    assert.equal(openLocals({ environment, variables: on }), undefined)
  assert.equal(openLocals({ environment: 'development', variables: {} }), undefined)
})

test('FA-45 errors across an await, thrown on, and from a rejected promise', async t => {
  const program = await compiledProgram(t, {
    'src/main.ts': `${open()}
async function inner(list: number[]): Promise<void> {
  await null
  const half = list.length / 2
  throw new Error(String(half))
}
async function outer(): Promise<void> {
  const name = 'outer'
  try {
    await inner([1, 2, 3])
  } catch (error) {
    const again = name
    throw error
  }
}
await outer().catch(error => console.log(formatError(error, { locals, sourceLines: 0 })))
`,
  })
  const { code, stdout, stderr } = await program.run('main.js', { env: on })
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, / {5}list = \[1, 2, 3\]\n {5}half = 1\.5\n/)
})

test('FA-40 a secret is not shown under another name either', async t => {
  const program = await compiledProgram(t, {
    'src/main.ts': `${open()}
function sign(text: string, by: object): void {
  const label = 'with ' + text
  throw new Error('x')
}
function outer(): void {
  const password = ['hunt"er', 'two\\\\'].join('-')
  const credentials = { key: ['key', 'of', 'the', 'shop'].join('-') }
  const config = { apiKey: ['key', 'of', 'config', 'shop'].join('-') }
  sign(password, { by: credentials.key, or: config.apiKey })
}
try { outer() } catch (error) { console.log(formatError(error, { locals, sourceLines: 0 })) }
`,
  })
  const { code, stdout, stderr } = await program.run('main.js', { env: on })
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, / text = "\*{5}"\n {5}by = \{ by: "\*{5}", or: "\*{5}" \}\n {5}label = "with \*{5}"\n/)
  assert.match(stdout, / password = \*{5}\n/)
  assert.ok(!/hunt|two|shop/.test(stdout), stdout)
})

test('FA-41 FA-43 no getter, no toString, no inspection of the service is called', async t => {
  const program = await compiledProgram(t, {
    'src/main.ts': `${open()}
const called: string[] = []
const note = (what: string) => () => { called.push(what); throw new Error(what) }
function failing(): void {
  const object = Object.defineProperties({ plain: 1, toString: note('toString'), toJSON: note('toJSON'),
    [Symbol.for('nodejs.util.inspect.custom')]: note('inspect') }, { secretive: { get: note('get'), enumerable: true } })
  class Fine { get inherited() { return note('inherited')() } get [Symbol.toStringTag]() { return note('tag')() } }
  const instance = new Fine()
  const proxy = new Proxy({ inside: 1 }, { get: note('proxy get'), ownKeys: note('proxy ownKeys'),
    getOwnPropertyDescriptor: note('proxy gopd'), getPrototypeOf: note('proxy proto') })
  throw new Error('x')
}
try { failing() } catch (error) { console.log(formatError(error, { locals, sourceLines: 0 })) }
console.log(JSON.stringify(called))
`,
  })
  const { code, stdout, stderr } = await program.run('main.js', { env: on })
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /\[\]\n$/)
  assert.match(stdout, /object = \{ plain: 1/)
  assert.match(stdout, /instance = Fine \{\}/)
})

test('FA-45 under a storm of errors it looks away, and says so once', async t => {
  const program = await compiledProgram(t, {
    'src/main.ts': `${open('perSecond: 3, quietTime: 600_000')}
let seen = 0
for (let i = 0; i < 20_000; i++) {
  try {
    throw new Error('x')
  } catch (error) {
    if (locals.frames(error).length > 0) seen++
  }
}
console.log(seen >= 3 && seen < 2_000)
await locals.close()
`,
  })
  const ended = await program.run('main.js', { env: on })
  assert.deepEqual(ended, {
    code: 0,
    stdout: 'true\n',
    stderr:
      'deedbox: More than 3 errors a second are thrown: local variables are not captured for 600 s, now and whenever ' +
      'that happens again.\n',
  })
})

test('FA-45 FA-43 the process ends as it would without, however it ends', async t => {
  const ends: Readonly<Record<string, readonly [end: string, code: number]>> = {
    end: ['', 0],
    exit: ['process.exit(7)', 7],
    'at-once': ['', 0],
    closed: ['await locals.close()', 0],
    twice: [
      "const second = openLocals({ environment: 'development' }); await locals.close(); await second.close()",
      0,
    ],
  }
  const files = Object.entries(ends).map(([name, [end]]) => [`src/${name}.ts`, `${open()}\n${end}`])
  const atOnce =
    "import { openLocals } from 'ERRORS'\nopenLocals({ environment: 'development' })\nprocess.exit(0)"
  const program = await compiledProgram(t, { ...Object.fromEntries(files), 'src/at-once.ts': atOnce })
  for (const [name, [, code]] of Object.entries(ends))
    assert.deepEqual(await program.run(`${name}.js`, { env: on }), { code, stdout: '', stderr: '' }, name)
})

test('FA-45 FA-43 if the thread beside it dies, or values are huge, the service goes on', async t => {
  const program = await compiledProgram(t, {
    'src/killed.ts': `import type { Worker } from 'node:worker_threads'
const workers: Worker[] = []
process.on('worker', worker => workers.push(worker))
const { formatError, openLocals } = await import('ERRORS')
const locals = openLocals({ environment: 'development' })
await locals.ready
const gone = workers[0].terminate()
for (let i = 0; i < 100; i++) { try { throw new Error('x') } catch {} }
await gone
try { throw new Error('y') } catch (error) { console.log(formatError(error, { locals, sourceLines: 0 })) }
`,
    'src/huge.ts': `${open()}
const long = (): void => {
  const text = 'x'.repeat(50_000_000)
  throw new Error('x')
}
const wide = (): void => {
  const holder = { text: 'x'.repeat(50_000_000) }
  const list = Array.from({ length: 100_000 }, () => ({ list: 1 }))
  const map = Object.fromEntries(list.map((entry, i) => ['k' + i, entry]))
  throw new Error('x')
}
try { long() } catch (error) { console.log(formatError(error, { locals, sourceLines: 0, truncateValues: 30 })) }
try { wide() } catch (error) { console.log('went on') }
`,
  })
  const killed: Ended = await program.run('killed.js', { env: on })
  assert.deepEqual([killed.code, killed.stderr], [0, ''])
  assert.match(killed.stdout, /Error: y\n$/)
  const huge = await program.run('huge.js', { env: on })
  assert.deepEqual([huge.code, huge.stderr], [0, ''])
  assert.ok(huge.stdout.includes(` text = "${'x'.repeat(29)}...\n`), huge.stdout)
  assert.ok(huge.stdout.endsWith('\nError: x\nwent on\n'), huge.stdout)
})

test('FA-45 FA-43 where a debugger may be attached it stays off, and says so', async t => {
  const program = await compiledProgram(t, {
    'src/main.ts': `import { openLocals } from 'ERRORS'
const open = () => openLocals({ environment: 'development', notify: sentence => console.log(sentence) })
console.log(open() === undefined)
`,
  })
  const { code, stdout } = await program.run('main.js', { env: on, flags: ['--inspect=127.0.0.1:0'] })
  assert.deepEqual(
    [code, stdout],
    [0, 'Local variables are not captured: a debugger may be attached (--inspect)\ntrue\n'],
  )
})
