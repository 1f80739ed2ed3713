import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Run, run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv, type Line } from './service-process.ts'
import { assertShown } from './shown-lines.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/other-loggers.md')
const names = [
  'console.ts',
  'channels.ts',
  'from-pino.ts',
  'fastify.ts',
  'to-pino.ts',
  'winston.ts',
  'logtape.ts',
  'evlog.ts',
] as const
const programs = Object.fromEntries(names.map(name => [name, page.fence(`// ${name}\n`)]))

const parsed = (output: string): Line[] =>
  output
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Line)

/** An error inside a line stands beside the others, where `…` stands for the rest of its text. */
const unfolded = (lines: readonly Line[]): Line[] =>
  lines.map(({ err, ...line }) => (err === undefined ? line : { ...line, ...(err as object) }))

test('guide, other loggers: each program compiles, ends by itself and prints what the page shows', async t => {
  const folder = await snippetFolder(t, 'fastify-5', programs)
  const play = async (name: (typeof names)[number], env: Record<string, string> = {}): Promise<Run> => {
    const result = await run(process.execPath, [folder.runnable(name)], {
      env: cleanEnv(env),
      cwd: folder.path,
    })
    assert.equal(result.code, 0, result.stderr)
    return result
  }
  const consoles = await play('console.ts')
  assertShown(parsed(consoles.stderr), page.shown('order o_7 taken'), [])
  assert.equal(consoles.stdout, 'as before\n')
  page.says('prints `as before` on standard output')

  const channels = await play('channels.ts', { NODE_DEBUG: 'shop' })
  assertShown(parsed(channels.stderr), page.shown('"section":"shop"'), [])
  assert.equal(parsed((await play('channels.ts')).stderr).length, 1)

  assertShown(parsed((await play('from-pino.ts')).stderr), page.shown('"module":"cart"'), [])
  page.says("with Fastify's `req`, `res` and `responseTime` left out here")
  const leftOut = ['req', 'res', 'responseTime']
  assertShown(parsed((await play('fastify.ts')).stderr), page.shown('"message":"looked up"'), leftOut)

  const toPino = await play('to-pino.ts')
  const shown = unfolded(page.shown('"msg":"sold"'))
  const real = unfolded(parsed(toPino.stdout))
  for (const line of [...shown, ...real]) {
    assert.equal(typeof line.time, 'number')
    line.time = 0
  }
  assertShown(real, shown, [])
  assert.equal(toPino.stderr, '')

  const winston = await play('winston.ts')
  assertShown(parsed(winston.stderr), page.shown('"message":"stock is low"'), [])
  assertShown(parsed(winston.stdout), page.shown('{"level":"info"'), [])

  const recipes = [await play('logtape.ts'), await play('evlog.ts')]
  assertShown(
    recipes.flatMap(({ stderr }) => parsed(stderr)),
    page.shown('"logger":"shop.cart"'),
    [],
  )
})

everyBlockIsTested(page)
