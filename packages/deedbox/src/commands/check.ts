import { parseArgs } from 'node:util'
import { countFindings, type Finding, findingsText, joinedFindings } from './check-findings.ts'
import { judgeFolder, readFolder } from './check-folder.ts'
import { checkHelp } from './check-help.ts'
import { checkService, serviceAddress } from './check-service.ts'
import { UsageError } from './usage-error.ts'

const options = {
  asset: { type: 'string' },
  file: { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** `deedbox check`. Resolves to the exit code. @throws UsageError */
export async function check(args: string[]): Promise<number> {
  const { values, positionals: subjects } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) {
    process.stdout.write(checkHelp)
    return 0
  }
  if (subjects.length === 0) {
    throw new UsageError('Name a URL or a folder. "deedbox check --help" shows how.')
  }
  const isUrl = (subject: string): boolean => /^https?:\/\//i.test(subject)
  const { asset, file } = values
  if (asset !== undefined && !asset.startsWith('/')) throw new UsageError('--asset is a path with "/" first.')
  if (asset !== undefined && !subjects.some(isUrl))
    throw new UsageError('--asset needs the URL of a service.')
  if (file !== undefined && subjects.every(isUrl)) throw new UsageError('--file needs a folder.')
  const timeout = timeoutOf(values.timeout)
  const findings: Finding[] = []
  const urls = new Map(subjects.filter(isUrl).map(subject => [subject, serviceAddress(subject)]))
  for (const subject of subjects) {
    const url = urls.get(subject)
    findings.push(
      ...(url === undefined
        ? judgeFolder(readFolder(subject, file))
        : await checkService(url, { asset, timeout })),
    )
  }
  const joined = joinedFindings(findings)
  const count = countFindings(joined)
  process.stdout.write(
    values.json ? `${JSON.stringify({ subjects, findings: joined, count })}\n` : findingsText(joined),
  )
  return count.fail > 0 ? 1 : 0
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return 10_000
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (seconds > 0) return seconds * 1_000
  throw new UsageError(`--timeout is a number of seconds, not "${text}".`)
}
