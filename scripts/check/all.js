// Everything `npm run check` looks at. The packages must be built; scripts/run.js sees to that.
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { packagesOf } from './packages.js'
import { runSteps } from './run-steps.js'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
/** @param {string[]} path */
const tool = (...path) => join(root, 'node_modules', ...path)
const compiler = tool('typescript', 'bin', 'tsc')

/** @type {import('./run-steps.js').Step[]} */
const steps = [
  {
    name: 'types',
    about: 'the compiler on every package, test, example and script',
    commands: ['tsconfig.json', 'scripts/check/tsconfig.json'].map(project => ({
      args: [compiler, '-p', project],
    })),
  },
  {
    name: 'lint',
    about: 'lint rules and format',
    commands: [
      { args: [tool('@biomejs', 'biome', 'bin', 'biome'), 'ci', '--colors=off', '--error-on-warnings', '.'] },
    ],
  },
  {
    name: 'exports',
    about: 'each package, packed, can be imported with its types',
    commands: packagesOf(root).flatMap(({ name, folder }) => [
      { label: `publint: ${name}`, args: [tool('publint', 'src', 'cli.js'), 'run', folder, '--strict'] },
      {
        label: `are the types wrong: ${name}`,
        args: [
          tool('@arethetypeswrong', 'cli', 'dist', 'index.js'),
          '--pack',
          folder,
          '--profile',
          'esm-only',
        ],
      },
    ]),
  },
  {
    name: 'api',
    about: 'the public API is the committed one, documented, and free of any',
    commands: [{ args: [join(root, 'scripts/check/api-surface.js')] }],
  },
  {
    name: 'contract',
    about: 'every row of the contract that is required has a test',
    commands: [{ args: [join(root, 'scripts/contract/coverage.js')] }],
  },
]

const usage = `Usage: npm run check
       node scripts/check/all.js [--only <check>] …

The checks, in order:
${steps.map(({ name, about }) => `  ${name.padEnd(8)} ${about}`).join('\n')}

  --only <check>  run this one; may be given several times
  --help          this text

It exits with 1 if a check failed. What a check prints is shown only then.
`

const { only, help } = readOptions()
if (help) {
  process.stdout.write(usage)
} else {
  const chosen = only.length === 0 ? steps : steps.filter(({ name }) => only.includes(name))
  const failed = await runSteps(chosen, root, line => console.log(line))
  process.exitCode = failed.length === 0 ? 0 : 1
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    })
    const unknown = values.only.find(name => !steps.some(step => step.name === name))
    if (unknown !== undefined) throw new Error(`There is no check "${unknown}".`)
    return values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    process.exit(2)
  }
}
