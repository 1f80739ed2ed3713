import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Command, runSteps } from '../../scripts/check/run-steps.js'
import { repository, runNode } from './run-script.ts'

function program(code: string, label?: string): Command {
  return { args: ['--eval', code], ...(label === undefined ? {} : { label }) }
}

async function linesOf(
  steps: Parameters<typeof runSteps>[0],
): Promise<{ lines: string[]; failed: string[] }> {
  const printed: string[] = []
  const failed = await runSteps(steps, repository, line => printed.push(line))
  return { lines: printed.map(line => line.trimEnd().replace(/\(\d+\.\d s\)/, '(time)')), failed }
}

test('every check runs, also behind a failed one, and the last line sums up', async () => {
  const { lines, failed } = await linesOf([
    { name: 'a', about: 'first', commands: [program("console.log('quiet when it passes')")] },
    {
      name: 'b',
      about: 'second',
      commands: [
        program("console.log('one'); console.error('two'); process.exit(3)", 'the culprit'),
        program("console.log('innocent')", 'another'),
      ],
    },
    { name: 'c', about: 'third', commands: [program("process.kill(process.pid, 'SIGKILL')")] },
    { name: 'd', about: 'fourth', commands: [program('')] },
  ])
  assert.deepEqual(failed, ['b', 'c'])
  assert.deepEqual(lines, [
    'a: first',
    'a: ok (time)',
    'b: second',
    'the culprit\none\ntwo',
    'b: FAILED (time)',
    'c: third',
    '\nended by SIGKILL',
    'c: FAILED (time)',
    'd: fourth',
    'd: ok (time)',
    '4 checks, 2 failed: b, c.',
  ])
})

test('checks that all pass say so', async () => {
  const { lines, failed } = await linesOf([{ name: 'a', about: 'only', commands: [program('')] }])
  assert.deepEqual(failed, [])
  assert.equal(lines.at(-1), '1 check, all passed.')
})

test('the check command explains itself and refuses what it does not know', async () => {
  const help = await runNode(['scripts/check/all.js', '--help'])
  assert.equal(help.code, 0)
  for (const name of ['types', 'lint', 'exports', 'api', 'contract'])
    assert.match(help.stdout, new RegExp(`^  ${name} `, 'm'))
  const unknown = await runNode(['scripts/check/all.js', '--only', 'spelling'])
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /^There is no check "spelling"\./)
})
