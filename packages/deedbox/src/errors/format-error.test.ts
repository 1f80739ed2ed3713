import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compiledProgram } from '../testing/compiled-program.ts'

const shop = `interface Item {
  readonly name: string
  readonly price: number
}

class PaymentError extends Error {
  override readonly name = 'PaymentError'
}

export function total(
  items: readonly Item[],
  currency: string,
): number {
  const words: string[] = ['a', 'b']
  let sum = 0

  for (const item of items) {
    if (item.price < 0) {
      throw new PaymentError(\`\${item.name} in \${currency} costs less than nothing\`)
    }
    sum += item.price
  }
  return sum
}

export class Orders {
  async place(items: readonly Item[]): Promise<number> {
    await Promise.resolve()
    return total(items, 'EUR')
  }
}
`

const main = `import { formatError } from 'ERRORS'
import { Orders } from './shop.js'

interface Nothing {}

async function handle(): Promise<void> {
  await new Orders().place([{ name: 'cup', price: 3 }, { name: 'plate', price: -1 }])
}

try {
  await handle()
} catch (error) {
  console.log(formatError(error))
}
`

const golden = `File "<folder>/src/main.ts", line 11, in async <anonymous>
    7     await new Orders().place([{ name: 'cup', price: 3 }, { name: 'plate', price: -1 }])
    8   }
    9
    10  try {
--> 11    await handle()
    12  } catch (error) {

File "<folder>/src/main.ts", line 7, in async handle
    6  async function handle(): Promise<void> {
--> 7    await new Orders().place([{ name: 'cup', price: 3 }, { name: 'plate', price: -1 }])
    8  }

File "<folder>/src/shop.ts", line 29, in Orders.place
    27    async place(items: readonly Item[]): Promise<number> {
    28      await Promise.resolve()
--> 29      return total(items, 'EUR')
    30    }

File "<folder>/src/shop.ts", line 19, in total
    10  export function total(
 (...)
    15    let sum = 0
    16
    17    for (const item of items) {
    18      if (item.price < 0) {
--> 19        throw new PaymentError(\`\${item.name} in \${currency} costs less than nothing\`)
    20      }

PaymentError: plate in EUR costs less than nothing
`

test('FA-27 FA-37 an error of compiled TypeScript is shown with its source as it was written', async t => {
  const program = await compiledProgram(t, { 'src/shop.ts': shop, 'src/main.ts': main })
  assert.deepEqual(await program.run('main.js'), { code: 0, stdout: golden, stderr: '' })
  await t.test('and the same where Node itself follows the source maps', async () => {
    const ended = await program.run('main.js', { flags: ['--enable-source-maps'] })
    assert.deepEqual(ended, { code: 0, stdout: golden, stderr: '' })
  })
  await t.test('FA-43 without its source each frame has its header', async () => {
    rmSync(join(program.folder, 'src'), { recursive: true })
    const { stdout } = await program.run('main.js')
    assert.equal(stdout, golden.replaceAll(/^ .*\n|^-->.*\n/gm, ''))
  })
})

test('FA-37 source maps that are inline and bring the source need neither file nor source', async t => {
  const program = await compiledProgram(
    t,
    { 'src/shop.ts': shop, 'src/main.ts': main },
    { sourceMap: false, inlineSourceMap: true, inlineSources: true },
  )
  rmSync(join(program.folder, 'src'), { recursive: true })
  assert.equal((await program.run('main.js')).stdout, golden)
})

test('FA-37 a source root, and a map in another folder', async t => {
  const program = await compiledProgram(
    t,
    { 'src/shop.ts': shop, 'src/main.ts': main },
    { sourceRoot: '../src/' },
  )
  assert.equal((await program.run('main.js')).stdout, golden)
})

test('FA-44 the calls that led to a place', async t => {
  const program = await compiledProgram(t, {
    'src/main.ts': `import { formatCurrentStack } from 'ERRORS'
interface Nothing {}
function inner(): string {
  return formatCurrentStack({ sourceLines: 1 })
}
console.log(inner())
`,
  })
  const { stdout } = await program.run('main.js')
  // Outside of them are frames of Node's, other ones in each version.
  assert.equal(
    stdout.slice(stdout.indexOf('File "<folder>')),
    `File "<folder>/src/main.ts", line 6, in <anonymous>
--> 6  console.log(inner())

File "<folder>/src/main.ts", line 4, in inner
    3  function inner(): string {
--> 4    return formatCurrentStack({ sourceLines: 1 })
    5  }
`,
  )
})
