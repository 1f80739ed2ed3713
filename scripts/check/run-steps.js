// Runs the checks one after another, shows what a failing one printed, and sums up.
import { spawn } from 'node:child_process'

/**
 * @typedef {import('./run-steps.js').Step} Step
 * @typedef {import('./run-steps.js').Command} Command
 */

/**
 * @param {Step[]} steps
 * @param {string} root
 * @param {(line: string) => void} print
 */
export async function runSteps(steps, root, print) {
  const failed = []
  for (const { name, about, commands } of steps) {
    print(`${name}: ${about}`)
    const started = process.hrtime.bigint()
    const outputs = []
    for (const command of commands) {
      const { code, output } = await runCommand(command, root)
      if (code !== 0) outputs.push(command.label === undefined ? output : `${command.label}\n${output}`)
    }
    const seconds = (Number(process.hrtime.bigint() - started) / 1e9).toFixed(1)
    for (const output of outputs) print(output.trimEnd())
    if (outputs.length > 0) failed.push(name)
    print(`${name}: ${outputs.length > 0 ? 'FAILED' : 'ok'} (${seconds} s)\n`)
  }
  const count = `${steps.length} ${steps.length === 1 ? 'check' : 'checks'}`
  const result = failed.length === 0 ? 'all passed' : `${failed.length} failed: ${failed.join(', ')}`
  print(`${count}, ${result}.`)
  return failed
}

/** @param {Command} command @param {string} root @returns {Promise<{ code: number, output: string }>} */
function runCommand({ args }, root) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    /** @type {Buffer[]} */
    const chunks = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => chunks.push(chunk))
    child.on('error', fail)
    child.on('close', (code, signal) => {
      const ending = signal === null ? '' : `\nended by ${signal}`
      done({ code: code ?? 1, output: Buffer.concat(chunks).toString('utf8') + ending })
    })
  })
}
