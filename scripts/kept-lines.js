// Has `jq` parse every line that logs wrote in the tests before, and each be one JSON object. Where there is no `jq`,
// Node does it. Argument: the folder that holds the lines.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const [folder = ''] = process.argv.slice(2)
const hasJq = spawnSync('jq', ['--version']).status === 0
let count = 0
let wrong = 0
for (const name of readdirSync(folder)) {
  const file = join(folder, name)
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  count += lines.length
  const bad = lines.filter(line => !isObject(line))
  if (hasJq) {
    const { status, stdout, stderr } = spawnSync('jq', ['-c', 'select(type == "object") | 1', file], {
      encoding: 'utf8',
      maxBuffer: 1e9,
    })
    const parsed = stdout.split('\n').length - 1
    if (status !== 0 || parsed !== lines.length) {
      wrong++
      console.error(`jq parsed ${parsed} of ${lines.length} lines: ${stderr.trim()}`)
    }
  }
  for (const line of bad.slice(0, 5)) console.error(`no JSON object on one line: ${line.slice(0, 200)}`)
  wrong += bad.length
}
rmSync(folder, { recursive: true })
console.log(`${hasJq ? 'jq' : 'Node, for want of jq,'} parsed all ${count} lines that logs wrote.`)
process.exitCode = wrong > 0 ? 1 : 0

/** @param {string} line */
function isObject(line) {
  try {
    const value = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
