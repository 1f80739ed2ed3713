import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { readDockerfile } from '../../packages/deedbox/src/commands/check-dockerfile.ts'
import { type Image, imageOf, stepsOf, wordsOf } from '../../packages/deedbox/src/commands/check-image.ts'
import { root } from '../end-to-end/ledger-process.ts'

const execute = promisify(execFile)

/** Why no image can be made and entered here, for the option `skip` of a test; false: it can. */
export function cannotEnter(): string | false {
  try {
    execFileSync('unshare', ['--mount', '--pid', '--fork', '--propagation', 'private', 'true'], {
      stdio: 'ignore',
    })
    execFileSync('setpriv', ['--reuid=10001', '--regid=10001', '--clear-groups', 'true'], { stdio: 'ignore' })
    execFileSync('useradd', ['--help'], { stdio: 'ignore' })
    return false
  } catch {
    return 'nobody may unshare mounts here, or setpriv or useradd is not there'
  }
}

/** The file system of an image, below a folder of the machine, whose own programs it borrows. */
export interface BuiltImage {
  readonly image: Image
  readonly folder: string
}

/**
 * Does what a Dockerfile of this repository says, without Docker: the stage `production` is made by its own command,
 * what comes from the stage `build` is the packages as they are built here, not by the command of that stage, and the
 * last stage is carried out as it is written. Where the registry does not answer and npm has not kept the packages, the
 * test is skipped, and there is no image; with `DEEDBOX_REQUIRE_SERVERS=1` that is an error.
 *
 * @param values of build arguments
 * @param path of the Dockerfile, relative to the root, which is its context
 */
export async function buildImage(
  t: TestContext,
  values: Readonly<Record<string, string>>,
  path = 'Dockerfile',
): Promise<BuiltImage | undefined> {
  const text = readFileSync(join(root, path), 'utf8')
  const file = readDockerfile(
    text.replace(/^ARG (\w+)=""$/gm, (_, name: string) => `ARG ${name}="${values[name] ?? ''}"`),
  )
  const last = { arguments: file.arguments, stages: file.stages.slice(-1) }
  const image = imageOf(last)
  if (image === undefined) throw new Error('The Dockerfile has no stage')
  const production = tempFolder(t)
  for (const name of ['manifests', 'production']) {
    const stage = file.stages.find(stage => stage.name === name)
    for (const step of stage === undefined ? [] : stepsOf(file, stage)) {
      if (typeof step === 'string') {
        const reason = await installed(step, production)
        if (reason !== undefined) {
          t.skip(reason)
          return undefined
        }
      } else {
        for (const source of step.sources) {
          const target = step.target === '/' ? source : join(step.target, posix.basename(source))
          cpSync(join(root, source), join(production, target), { recursive: true })
        }
      }
    }
  }
  const folder = tempFolder(t)
  layOut(folder)
  const stages: Record<string, string> = { production, build: root }
  for (const { from, sources, target } of image.copies) {
    for (const source of sources) {
      // Single files come from the context, folders from the stages.
      const [origin, place] =
        from === undefined
          ? [join(root, source), join(target, posix.basename(source))]
          : [join(stages[from]!, posix.relative('/app', source)), target]
      cpSync(origin, join(folder, place), { recursive: true, verbatimSymlinks: true })
    }
  }
  for (const script of image.scripts) {
    await execute(
      'unshare',
      namespace(folder, false, ['env', ...variables({ ...values }), 'sh', '-ec', script]),
    )
  }
  return { image, folder }
}

/** Runs a command that installs packages. Resolves to why it cannot, where nobody answers who has them. */
async function installed(step: string, folder: string): Promise<string | undefined> {
  const env = { ...process.env, npm_config_prefer_offline: 'true', npm_config_fetch_retries: '1' }
  try {
    await execute('sh', ['-ec', step], { cwd: folder, env })
    return undefined
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    const code = /^npm error code (E\w+)$/m.exec(stderr)?.[1] ?? ''
    const isAway = /^E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|TIMEDOUT)$/.test(code)
    if (!isAway || process.env.DEEDBOX_REQUIRE_SERVERS === '1') throw error
    const reason = `package registry that answers (${code}), and npm has not kept all packages`
    const list = process.env.DEEDBOX_SKIPPED
    if (list !== undefined) appendFileSync(list, `${reason}\n`)
    return `no ${reason}`
  }
}

/**
 * Starts the image's ENTRYPOINT and CMD as its USER and as the first process of its namespace, with nothing but `/data` and `/tmp` to
 * write to.
 */
export function runImage(
  t: TestContext,
  { image, folder }: BuiltImage,
  settings: Readonly<Record<string, string>>,
): ChildProcess {
  const child = spawn(
    'unshare',
    inside({ image, folder }, settings, [...wordsOf(image.entrypoint!), ...wordsOf(image.command!)]),
  )
  t.after(() => child.kill('SIGKILL'))
  return child
}

/** Sends a signal to the first process of a running image, as the platform does; what holds its namespace ends with it. */
export function signalImage({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  const first = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'))
  process.kill(first, signal)
}

/** Runs one command in the image, as the platform runs a health check. Resolves to its exit code. */
export async function runInImage(
  built: BuiltImage,
  settings: Readonly<Record<string, string>>,
  command: readonly string[],
): Promise<{ readonly code: number; readonly said: string }> {
  const child = spawn('unshare', inside(built, settings, command))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', code => done({ code: code ?? -1, said }))
  })
}

function inside(
  { image, folder }: BuiltImage,
  settings: Readonly<Record<string, string>>,
  command: readonly string[],
): string[] {
  const user = [
    'setpriv',
    '--reuid=app',
    '--regid=app',
    '--clear-groups',
    '--no-new-privs',
    '--bounding-set=-all',
  ]
  const environment = variables({ ...Object.fromEntries(image.environment), ...settings })
  return namespace(folder, true, [...user, 'env', `--chdir=${image.workdir}`, ...environment, ...command])
}

/** Without what this machine's environment says; Docker adds nothing of it either. */
function variables(values: Readonly<Record<string, string>>): string[] {
  return [
    '-i',
    `PATH=/node:/usr/sbin:/usr/bin:/sbin:/bin`,
    ...Object.entries(values).map(pair => pair.join('=')),
  ]
}

/** The arguments of `unshare` for a command in the image's file system. */
function namespace(folder: string, isReadOnly: boolean, command: readonly string[]): string[] {
  const script = `
    mount --bind "$0" "$0"
    mount --bind /usr "$0/usr"
    mount -o remount,bind,ro "$0/usr"
    mount -t proc proc "$0/proc"
    mount --bind /dev "$0/dev"
    mount --bind "$1" "$0/node/node"
    ${isReadOnly ? 'mount --bind "$0/data" "$0/data"; mount -t tmpfs tmpfs "$0/tmp"; mount -o remount,bind,ro "$0"' : ''}
    folder=$0
    shift
    exec chroot "$folder" "$@"`
  return [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--propagation',
    'private',
    'sh',
    '-ec',
    script,
    folder,
    process.execPath,
    ...command,
  ]
}

/** What a base image has: the machine's programs by links and mounts, and accounts of its own. */
function layOut(folder: string): void {
  chmodSync(folder, 0o755)
  for (const name of ['usr', 'proc', 'dev', 'tmp', 'etc', 'node']) mkdirSync(join(folder, name))
  chmodSync(join(folder, 'tmp'), 0o1777)
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    const path = `/${name}`
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      symlinkSync(readlinkSync(path), join(folder, name))
    }
  }
  const etc = (name: string, text: string) => writeFileSync(join(folder, 'etc', name), text)
  etc('passwd', 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/:/bin/sh\n')
  etc('group', 'root:x:0:\nnode:x:1000:\n')
  etc('shadow', 'root:*:1::::::\n')
  etc('gshadow', 'root:*::\n')
  etc('login.defs', '')
  writeFileSync(join(folder, 'node', 'node'), '')
}

function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-image-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
