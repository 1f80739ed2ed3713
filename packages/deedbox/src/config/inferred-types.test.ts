import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

const root = resolve(import.meta.dirname, '../../../..')

/** Lines that end in `// error` must not compile, and all others must. */
const program = `
import { bytes, duration, flag, integer, json, list, number, oneOf, optional, readConfig, text, url } from './index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const yes = <Sameness extends true>(): Sameness | undefined => undefined

const shape = {
  port: number({ default: 8000, min: 1, max: 65535 }),
  databaseUrl: url({ secret: true, default: 'https://a.example' }),
  debug: flag(),
  workers: optional(integer()),
  mode: oneOf(['a', 'b'], { default: 'a' }),
  tags: list(text(), { default: ['x'] }),
  timeouts: list(duration(), { default: ['5s', 10] }),
  timeout: duration({ default: '5s', max: '2.5h' }),
  size: bytes({ default: '64KiB' }),
  raw: json<{ a: number }>(),
}
const config = readConfig(shape, {
  prefix: 'ACME_',
  environment: {},
  profiles: { testing: { debug: true, timeout: '1ms', workers: 1 }, staging: { mode: 'b' } },
})
yes<Same<typeof config.port, number>>()
yes<Same<typeof config.databaseUrl, URL>>()
yes<Same<typeof config.debug, boolean>>()
yes<Same<typeof config.workers, number | undefined>>()
yes<Same<typeof config.mode, 'a' | 'b'>>()
yes<Same<typeof config.tags, readonly string[]>>()
yes<Same<typeof config.timeouts, readonly number[]>>()
yes<Same<typeof config.timeout, number>>()
yes<Same<typeof config.size, number>>()
yes<Same<typeof config.raw, { a: number }>>()
yes<Same<typeof config.port, string>>() // error
config.port = 1 // error
config.prot // error
config.tags.push('y') // error
config.workers.toFixed() // error
if (config.mode === 'c') config.port // error
number({ default: '8000' }) // error
number({ defualt: 8000 }) // error
flag({ default: 'yes' }) // error
oneOf(['a', 'b'], { default: 'c' }) // error
duration({ default: '5 parsecs' }) // error
duration({ default: '5' }) // error
bytes({ default: '5XB' }) // error
list(integer(), { default: ['x'] }) // error
url({ protocols: 'https' }) // error
text({ pattern: '^x' }) // error
readConfig({ port: 8000 }) // error
readConfig({ port: Number }) // error
readConfig({ port: number() }, { prefx: 'ACME_' }) // error
readConfig({ port: number() }, { profiles: { testing: { prot: 1 } } }) // error
readConfig({ port: number() }, { profiles: { testing: { port: '1' } } }) // error
readConfig({ mode: oneOf(['a', 'b']) }, { profiles: { staging: { mode: 'c' } } }) // error
`

test('DF-54 the types of values are inferred, and misuse does not compile', async t => {
  const made = join(root, 'packages/deedbox/dist')
  mkdirSync(made, { recursive: true })
  const folder = mkdtempSync(join(made, 'types-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const room = join(root, 'packages/deedbox/src/config/index.ts')
  writeFileSync(join(folder, 'use.ts'), program.replace("'./index.ts'", JSON.stringify(room)))
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['use.ts'], exclude: [] }),
  )
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const said = await new Promise<string>(done => {
    execFile(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], (_error, stdout, stderr) =>
      done(stdout + stderr),
    )
  })
  const lines = program.split('\n')
  const wrong = new Set([...said.matchAll(/use\.ts\((\d+),\d+\): error/g)].map(([, line]) => Number(line)))
  assert.deepEqual(
    [...wrong].map(line => lines[line - 1]),
    lines.filter(line => line.endsWith('// error')),
    said,
  )
})
