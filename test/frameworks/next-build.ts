import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export type NextMajor = 15 | 16

/** A built app. */
export interface NextBuild {
  folder: string
  /** The script of the `next` command. */
  command: string
  /** What `next build` printed, from when it really ran. */
  output: string
}

const here = dirname(fileURLToPath(import.meta.url))
const sources = join(here, 'next-app')

/** Which function of handlers.js answers at which path. */
const routes: Record<string, Record<string, string>> = {
  ok: { GET: 'ok' },
  empty: { GET: 'empty' },
  throw: { GET: 'throwError' },
  reject: { GET: 'reject' },
  'throw-text': { GET: 'throwText' },
  before: { GET: 'ok' },
  after: { GET: 'afterHandler' },
  hang: { GET: 'hang' },
  slow: { GET: 'slow' },
  stream: { GET: 'stream' },
  'broken-stream': { GET: 'brokenStream' },
  piped: { GET: 'piped' },
  sse: { GET: 'serverSentEvents' },
  late: { GET: 'late' },
  json: { POST: 'json' },
  validated: { POST: 'validated' },
  listen: { POST: 'listen' },
  upload: { POST: 'upload' },
  unread: { POST: 'ok' },
  'orgs/[org]/items/[item]': { GET: 'ok' },
  'named/[n]': { GET: 'named' },
  'wander/[n]': { GET: 'wander' },
  'tracked/[name]/around': { GET: 'trackedRoute', POST: 'trackedRoute', PUT: 'trackedRoute' },
  hostile: { GET: 'throwHostile' },
  redirect: { GET: 'found' },
  health: { GET: 'ok' },
  healthz: { GET: 'sick' },
  'api/unguarded': { POST: 'unguarded' },
  'api/elsewhere': { GET: 'goElsewhere' },
  'api/nothing': { GET: 'nothingHere' },
  'api/afterwards': { GET: 'afterwards' },
  'api/instance': { GET: 'tellInstance' },
  'api/meet/[n]': { GET: 'meet' },
}

/** Ahead of a proxy, Next itself reads the whole body: nothing is unread, and no handler sees an upload break off. */
const matcher = "matcher: '/((?!unread|upload).*)'"

/** Builds the app with a major, unless these very sources, and this very package, are built already. */
export async function buildNextApp(major: NextMajor): Promise<NextBuild> {
  const home = join(here, `next-${major}`)
  const command = createRequire(join(home, 'package.json')).resolve('next/dist/bin/next')
  const builds = join(home, '.deedbox')
  const folder = join(builds, `app-${fingerprint(command)}`)
  const output = join(folder, 'build-output.txt')
  if (!existsSync(output)) {
    rmSync(builds, { recursive: true, force: true })
    putTogether(folder, major)
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [command, 'build'], {
      cwd: folder,
      env: nextEnvironment(),
    })
    writeFileSync(output, stdout + stderr)
  }
  return { folder, command, output: readFileSync(output, 'utf8') }
}

/** The environment of a process of Next: without what makes Node load this package from its sources. */
export function nextEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, NODE_ENV: __, NODE_TEST_CONTEXT: ___, ...environment } = process.env
  return { ...environment, NEXT_TELEMETRY_DISABLED: '1' } as NodeJS.ProcessEnv
}

function putTogether(folder: string, major: NextMajor): void {
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  put('package.json', '{ "private": true, "type": "module" }\n')
  for (const file of ['instrumentation.ts', 'handlers.js', 'gate.js', 'page.js', 'layout.js', 'legacy.js'])
    cpSync(join(sources, file), join(folder, file))
  put('app/layout.js', "export { default } from '../layout.js'\n")
  put(
    'app/(pages)/pages/[what]/page.js',
    "export { default } from '../../../../page.js'\nexport const dynamic = 'force-dynamic'\n",
  )
  put('app/prerendered/page.js', 'export default function Page() {\n  return <p>made by the build</p>\n}\n')
  // Only beside an entry for the Edge runtime does Next build instrumentation.ts for it.
  put(
    'app/api/edge/route.js',
    "export const runtime = 'edge'\nexport const GET = () => Response.json({ ok: true })\n",
  )
  put('pages/api/legacy/[id].js', "export { default } from '../../../legacy.js'\n")
  for (const [path, methods] of Object.entries(routes)) {
    const handlers = `${path.replace(/[^/]+/g, '..')}/../handlers.js`
    const names = Object.entries(methods).map(([method, name]) => `${name} as ${method}`)
    put(
      `app/${path}/route.js`,
      `export const dynamic = 'force-dynamic'\nexport { ${names.join(', ')} } from '${handlers}'\n`,
    )
  }
  if (major === 16)
    put('proxy.js', `export { gate as proxy } from './gate.js'\nexport const config = { ${matcher} }\n`)
  else
    put(
      'middleware.js',
      `export { gate as middleware } from './gate.js'\nexport const config = { runtime: 'nodejs', ${matcher} }\n`,
    )
}

/** Of all that goes into a build: the app, this package as compiled, and the version of Next. */
function fingerprint(command: string): string {
  const hash = createHash('sha256').update(command)
  const compiled = fileURLToPath(import.meta.resolve('deedbox/package.json'))
  const next = join(dirname(command), '../../package.json')
  for (const file of [fileURLToPath(import.meta.url), compiled, next]) hash.update(readFileSync(file))
  for (const folder of [sources, join(dirname(compiled), 'dist')]) {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
    for (const file of files)
      if (/\.(js|ts)$/.test(file)) hash.update(file).update(readFileSync(join(folder, file)))
  }
  return hash.digest('hex').slice(0, 12)
}
