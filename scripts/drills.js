// `npm run drills`: the long form of the drills in test/drills, one after the other, then the long form of test/interop,
// in which programs of other people check running ledgers; and at the end a table of what the drills met.
// DEEDBOX_DRILL_ROUNDS sets the number of kills (1,000); the other drills have their share of it. Arguments name single
// files.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const folder = mkdtempSync(join(tmpdir(), 'deedbox-drills-'))
const report = join(folder, 'report')
const files =
  process.argv.length > 2 ? process.argv.slice(2) : ['test/drills/*.test.ts', 'test/interop/*.test.ts']

const child = spawn(
  process.execPath,
  ['--conditions=@deedbox/source', '--test', '--test-concurrency=1', '--test-reporter=spec', ...files],
  {
    cwd: root,
    stdio: 'inherit',
    env: { DEEDBOX_DRILL_ROUNDS: '1000', DEEDBOX_LONG: '1', ...process.env, DEEDBOX_DRILL_REPORT: report },
  },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.stdout.write(table(existsSync(report) ? readFileSync(report, 'utf8') : ''))
  rmSync(folder, { recursive: true, force: true })
  process.exit(signal === null ? code : 1)
})

/** @param {string} lines one report a line, as test/drills/report.ts writes them */
function table(lines) {
  const head = ['drill', 'rounds', 'acknowledged', 'stored', 'refused', 'verdicts']
  const rows = lines
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const { drill, rounds, acknowledged, stored, refused, verdicts } = JSON.parse(line)
      const met = Object.entries(verdicts).map(([verdict, times]) => `${verdict} ${times}`)
      return [drill, rounds, acknowledged, stored, refused, met.join(', ')].map(String)
    })
  if (rows.length === 0) return '\nNo drill reported anything.\n'
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map(row => row[i]?.length ?? 0)))
  const print = row =>
    row
      .map((cell, i) => (i === 0 || i === 5 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd()
  return `\n${[head, widths.map(width => '─'.repeat(width)), ...rows].map(print).join('\n')}\n`
}
