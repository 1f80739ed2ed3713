import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compiledProgram } from '../testing/compiled-program.ts'

const entry = new URL('../index.ts', import.meta.url).href

const source = `
interface Order {
  readonly id: number
}

export function take(order: Order): void {
  log.info('taken', order)
}

async function later(order: Order): Promise<void> {
  await null
  log.named('shop').warn('later', order)
}

function say(text: string): void {
  log.depth(1).info(text)
}

take({ id: 1 })
take({ id: 2 })
await later({ id: 3 })
function wrapped(): void {
  say('wrapped')
}
wrapped()
`

for (const [how, flags] of [
  ['as Node runs it', []],
  ['with --enable-source-maps', ['--enable-source-maps']],
] as const) {
  test(`FA-05 the source of compiled TypeScript is the .ts file and its line, also in async functions and wrappers: ${how}`, async t => {
    const program = await compiledProgram(t, { 'src/orders.ts': `import { log } from '${entry}'\n${source}` })
    const { code, stderr } = await program.run('orders.js', {
      flags: ['--conditions=@deedbox/source', ...flags],
    })
    assert.equal(code, 0, stderr)
    const sources = stderr
      .trimEnd()
      .split('\n')
      .map(line => (JSON.parse(line) as { source: string }).source)
    assert.deepEqual(sources, [
      'orders.ts:take:8',
      'orders.ts:take:8',
      'orders.ts:later:13',
      'orders.ts:wrapped:24',
    ])
  })
}

test('FA-05 where the map is broken or gone the compiled place stands', async t => {
  const program = await compiledProgram(t, {
    'src/broken.ts': `import { log } from '${entry}'\ninterface A { readonly a: number }\nlog.info('here')\n`,
    'out/broken.js.map': 'no map',
    'src/keep.ts': 'export {}\n',
  })
  const { writeFileSync } = await import('node:fs')
  writeFileSync(`${program.folder}/out/broken.js.map`, '{"sources":7')
  const { stderr } = await program.run('broken.js', { flags: ['--conditions=@deedbox/source'] })
  assert.match(stderr, /"source":"broken\.js:<anonymous>:2"/)
})
