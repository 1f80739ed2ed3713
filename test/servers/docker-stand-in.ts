// Stands in for docker; it is none. A container is a process of this machine: what a test sees of one is its id, its
// folder, its user, its signals, and that it lives on when `docker run` is killed. Anything that docker would refuse, or
// that this does not know, ends with 125.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** What the stand-in knows, in the variable `DOCKER_STAND_IN` as JSON. */
export interface DockerStandIn {
  /** Where its containers and images are, and `calls`, a line of JSON for each call. */
  readonly folder: string
  /** The programs of all images, by their names. */
  readonly programs: Readonly<Record<string, string>>
  readonly isDown?: boolean
  readonly hasNoRegistry?: boolean
}

interface Running {
  readonly pid: number
  readonly label: string
}

const { folder, programs, isDown, hasNoRegistry } = JSON.parse(
  process.env.DOCKER_STAND_IN ?? '{}',
) as DockerStandIn
const [containers, images] = [join(folder, 'containers'), join(folder, 'images')]
for (const each of [containers, images]) mkdirSync(each, { recursive: true })
const [command = '', ...args] = process.argv.slice(2)
appendFileSync(join(folder, 'calls'), `${JSON.stringify([command, ...args])}\n`)

const commands: Readonly<Record<string, () => void>> = {
  info: () => {
    if (isDown) refuse('Cannot connect to the Docker daemon', 1)
    console.log('0.0.0 (a stand-in)')
  },
  image: () => {
    if (!existsSync(imageFile(args[1]))) refuse('No such image', 1)
  },
  pull: () => {
    if (hasNoRegistry) refuse('manifest unknown', 1)
    writeFileSync(imageFile(args[1]), '')
  },
  ps: () => {
    for (const id of readdirSync(containers)) console.log(`${id} ${containerOf(id)?.label.split('=')[1]}`)
  },
  kill: () => {
    const [, signal, id = ''] = args
    const container = containerOf(id)
    if (container === undefined) refuse(`No such container: ${id}`, 1)
    process.kill(container.pid, signal as NodeJS.Signals)
  },
  rm: () => {
    const id = args[1] ?? ''
    const container = containerOf(id)
    if (container === undefined) refuse(`No such container: ${id}`, 1)
    // Its process may have ended meanwhile.
    spawnSync('kill', ['-KILL', String(container.pid)])
    rmSync(join(containers, id))
  },
  run,
}

const known = commands[command]
if (known === undefined) refuse(`unknown command: ${command}`)
else known()

function run(): void {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values, positionals } = parseArgs({
    // What comes after the image is the program's.
    args: args.map((arg, i) => (i > args.indexOf('--entrypoint') + 2 ? `:${arg}` : arg)),
    allowPositionals: true,
    options: {
      rm: flag,
      interactive: flag,
      ...{ pull: text, network: text, label: text, user: text, workdir: text, cidfile: text },
      ...{ entrypoint: text, 'security-opt': text, volume: { ...text, multiple: true } },
    },
  })
  const [image, ...rest] = positionals
  const { label = '', workdir = '', cidfile, entrypoint = '', user = '' } = values
  if (!existsSync(imageFile(image))) refuse(`No such image: ${image}`)
  if (cidfile !== undefined && existsSync(cidfile)) refuse('container ID file found')
  if (!values.volume?.some(volume => workdir.startsWith(`${volume.split(':')[0]}/`)))
    refuse(`not mounted: ${workdir}`)
  const [uid, gid] = user.split(':').map(Number)
  const program = spawn(
    programs[entrypoint] ?? entrypoint,
    rest.map(arg => arg.slice(1)),
    { cwd: workdir, stdio: 'inherit', detached: true, uid: uid!, gid: gid! },
  )
  program.on('error', error => refuse(error.message))
  const id = randomBytes(32).toString('hex')
  const container: Running = { pid: program.pid!, label }
  writeFileSync(join(containers, id), JSON.stringify(container))
  if (cidfile !== undefined) writeFileSync(cidfile, id)
  program.on('exit', code => {
    if (values.rm) rmSync(join(containers, id), { force: true })
    process.exit(code ?? 137)
  })
}

function imageFile(name = ''): string {
  return join(images, encodeURIComponent(name))
}

function containerOf(id: string): Running | undefined {
  if (!existsSync(join(containers, id))) return undefined
  return JSON.parse(readFileSync(join(containers, id), 'utf8')) as Running
}

function refuse(why: string, code = 125): never {
  console.error(why)
  process.exit(code)
}
