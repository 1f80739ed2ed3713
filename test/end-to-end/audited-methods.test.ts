import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { root } from './ledger-process.ts'

/** What both dialects of decorators compile to the same behaviour. */
const methods = `
import assert from 'node:assert/strict'
import { audited, deedbox } from 'deedbox'

const lines: { event_name: string; payload: { function: object; items?: number; kind: string } }[] = []
const sink = { write: (line: string) => lines.push(JSON.parse(line)) }
const box = deedbox({ service: 'users', ledger: null, log: { sink } })

/** The events since the last call: name of the event, kind, items. */
function events(): string[] {
  return lines.splice(0).map(({ event_name, payload: { kind, items } }) =>
    [event_name, ...(kind === 'info' ? [] : [kind]), ...(items === undefined ? [] : [items])].join(' '))
}

const sign: unique symbol = Symbol('sign')

class Users {
  readonly names: string[] = []
  static count = 0

  @box.audited({ eventName: 'user.create', kind: 'success', service: 'people' })
  create(name: string): number {
    return this.names.push(name)
  }

  @box.audited()
  async remove(name: string): Promise<string[]> {
    await null
    if (!this.names.includes(name)) throw new RangeError('nobody')
    return this.names.splice(this.names.indexOf(name), 1)
  }

  find(id: number): string
  find(name: string): number
  @box.audited
  find(what: number | string): number | string | undefined {
    return typeof what === 'number' ? this.names[what] : this.names.indexOf(what)
  }

  @box.audited({ module: 'registry' })
  same<Value extends object>(value: Value): Value {
    return value
  }

  @box.audited()
  get size(): number {
    return this.names.length
  }

  @box.audited()
  static made(by: number): number {
    return (this.count += by)
  }

  @box.audited()
  *[Symbol.iterator](): Generator<string, void> {
    yield* this.names
  }

  @audited({ fields: ({ args, result }) => ({ given: args.length, result }) })
  async *[sign](): AsyncGenerator<string, string> {
    yield* this.names
    return 'end'
  }
}

class Admins extends Users {
  override create(name: string): number {
    return super.create(\`admin \${name}\`)
  }
}

const admins = new Admins()
const made: number = admins.create('ann')
assert.deepEqual([made, admins.names], [1, ['admin ann']])
assert.deepEqual(events(), ['user.create success'])
const name: string = admins.find(0)
const place: number = admins.find('admin ann')
assert.deepEqual([name, place], ['admin ann', 0])
assert.deepEqual(events(), ['fn.Users.find', 'fn.Users.find'])
assert.equal(admins.same(admins).size, 1)
assert.deepEqual(events(), ['fn.registry.same', 'fn.Users.get size'])
assert.deepEqual([Users.made(2), Admins.made(1), Users.count], [2, 3, 2])
assert.deepEqual(events(), ['fn.Users.made', 'fn.Users.made'])
assert.deepEqual([...admins], ['admin ann'])
for await (const each of admins[sign]()) assert.equal(each, 'admin ann')
assert.deepEqual(events(), ['fn.Users.[Symbol.iterator] 1', 'fn.Users.[sign] 1'])
assert.deepEqual(await admins.remove('admin ann'), ['admin ann'])
await assert.rejects(admins.remove('bob'), RangeError)
assert.deepEqual(events(), ['fn.Users.remove', 'fn.Users.remove error'])
assert.deepEqual([Users.prototype.create.name, Users.prototype.create.length], ['create', 1])
const detached = new Users().find
assert.throws(() => Reflect.apply(detached, undefined, [0]), TypeError)
events()
`

/** What only standard decorators can stand above. */
const standard = `
class Vault {
  #opened = 0
  @box.audited()
  #open(by: number): number {
    return (this.#opened += by)
  }
  @box.audited()
  static #count(): number {
    return 7
  }
  @box.audited()
  set code(code: number) {
    this.#open(code)
  }
  static counted(): number {
    return Vault.#count()
  }
}
const vault = new Vault()
vault.code = 3
assert.equal(Vault.counted(), 7)
assert.deepEqual(events(), ['fn.Vault.#open', 'fn.Vault.set code', 'fn.Vault.#count'])

/** Another decorator around ours, and one within. */
function plain<Method extends (...args: never[]) => unknown>(method: Method, _context: ClassMethodDecoratorContext): Method {
  return ((...args: never[]) => method(...args)) as Method
}
class Wrapped {
  @plain @box.audited() outer(): number { return 1 }
  @box.audited() @plain inner(): number { return 2 }
}
assert.deepEqual([new Wrapped().outer(), new Wrapped().inner()], [1, 2])
assert.equal(events()[1], 'fn.Wrapped.inner')
`

/** What the types let through, and what they do not. */
const types = `
import { type AuditedDecorator, audited, deedbox } from 'deedbox'

const box = deedbox({ service: 'types', ledger: null })

const identity = box.audited(<Value>(value: Value): Value => value, { eventName: 'identity' })
const same: 'a' = identity('a')

function either(what: string): string
function either(what: number): number
function either(what: string | number): string | number {
  return what
}
const audits = audited(either)
const text: string = audits('a')
const digits: number = audits(1)

const charge = box.audited(
  async (card: { last4: string }, amount: number) => ({ paid: amount, card }),
  {
    eventName: 'card.charge',
    fields: ({ args: [card, amount], result }) => ({ last4: card.last4.padStart(4), amount: amount.toFixed(2), paid: result?.paid.toFixed(2) }),
  },
)
const paid: Promise<{ paid: number }> = charge({ last4: '4242' }, 12)
const rows = box.audited(function* rows(most: number) {
  yield most
  return 'end'
}, { fields: ({ result }) => ({ end: result?.toUpperCase() }) })
const first: IteratorResult<number, string> = rows(1).next()

const decorator: AuditedDecorator = box.audited({ kind: 'warning' })

class Cart {
  // @ts-expect-error: a field is no method
  @box.audited() total = 0
  // @ts-expect-error: no such kind
  @box.audited({ kind: 'fatal' }) place(): void {}
  @decorator add(item: string): this { return item === '' ? this : this }
}
// @ts-expect-error: a class is no function
box.audited(Cart)
// @ts-expect-error: the amount is a number
charge({ last4: '4242' }, '12')
// @ts-expect-error: no such option
box.audited(either, { event_name: 'x' })

export { Cart, digits, first, paid, same, text }
`

const require = createRequire(import.meta.url)
const checker = createRequire(require.resolve('@arethetypeswrong/core/package.json'))
const compilers: [name: string, tsc: string, skip: string | false][] = [
  ['TypeScript 7', join(root, 'node_modules', 'typescript', 'bin', 'tsc'), false],
  [
    'TypeScript 5',
    join(dirname(checker.resolve('typescript/package.json')), 'bin', 'tsc'),
    (checker('typescript') as { version: string }).version.startsWith('5.') ? false : 'is not installed',
  ],
]

for (const [name, tsc, skip] of compilers) {
  for (const dialect of ['standard', 'legacy'] as const) {
    test(`IP-10 IP-16 decorated methods, ${dialect} dialect, compiled strictly by ${name}`, {
      skip,
    }, async t => {
      const folder = compiledFolder(t, {
        'methods.ts': methods + (dialect === 'standard' ? standard : ''),
        'types.ts': types,
      })
      await compile(tsc, folder, dialect === 'legacy')
      const { error, output } = await runNode([join(folder, 'out', 'methods.js')])
      assert(error === null, output)
    })
  }
}

/** A folder in which packages are found as a consumer finds them: built. */
function compiledFolder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const made = join(root, 'test', 'frameworks', 'nest-11', 'dist')
  mkdirSync(made, { recursive: true })
  const folder = mkdtempSync(join(made, 'audited-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

async function compile(tsc: string, folder: string, experimentalDecorators: boolean): Promise<void> {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    rootDir: '.',
    outDir: 'out',
    experimentalDecorators,
    emitDecoratorMetadata: experimentalDecorators,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const { error, output } = await runNode([tsc, '-p', folder])
  assert(error === null, output)
}

function runNode(args: readonly string[]): Promise<{ error: Error | null; output: string }> {
  return new Promise(done => {
    execFile(process.execPath, args, (error, stdout, stderr) => done({ error, output: stdout + stderr }))
  })
}
