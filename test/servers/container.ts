// A server from an official image, where it is neither installed nor to be had otherwise: the same command line as
// everywhere, run by `docker run` as whoever runs the tests, in the same folder and on this machine's own 127.0.0.1.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Container, Identity, Image, ServerKind } from './server-kind.ts'

/** On each container: the process whose tests it is for, see {@link ownerOf}. */
const label = 'deedbox.tests'

/** A program of an image, and where it is to run. */
export interface Contained {
  readonly program: string
  readonly args: readonly string[]
  /** Its working folder, below the folder for temporary files. */
  readonly folder: string
  readonly identity: Identity | undefined
  /** Whether the container's id is to be found in the folder, for {@link signalContainer}. */
  readonly isServer: boolean
}

/** The arguments of docker that run a program of an image. */
export function containerArgs(
  image: string,
  { program, args, folder, identity, isServer }: Contained,
): string[] {
  const { uid, gid } = identity ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  return [
    ...['run', '--rm', '--interactive', '--pull', 'never', '--network', 'host'],
    ...['--label', `${label}=${ownerOf(process.pid)}`],
    // PostgreSQL asks for its user's name; certificates are in folders of their own.
    ...['--user', `${uid}:${gid}`, '--volume', '/etc/passwd:/etc/passwd:ro'],
    ...['--volume', `${tmpdir()}:${tmpdir()}`, '--workdir', folder, '--security-opt', 'label=disable'],
    ...(isServer ? ['--cidfile', idFile(folder)] : []),
    ...['--entrypoint', program, image, ...args],
  ]
}

/**
 * The image of a server, pulled if need be.
 * @throws Error saying why it cannot be had
 */
export function pulledImage({ program }: ServerKind, image: Image): Container {
  if (process.platform !== 'linux') throw new Error('containers serve on Linux only')
  const docker = (process.env.PATH ?? '')
    .split(delimiter)
    .map(folder => join(folder, 'docker'))
    .find(file => file !== 'docker' && existsSync(file))
  if (docker === undefined) throw new Error('there is no docker')
  const info = ask(docker, quick, 'info', '--format', '{{.ServerVersion}}')
  if (info.status !== 0 || info.stdout.trim() === '') throw new Error('docker does not answer')
  removeLeft(docker)
  if (ask(docker, quick, 'image', 'inspect', image.name).status !== 0) {
    const { status, stderr } = ask(docker, 600_000, 'pull', '--quiet', image.name)
    if (status !== 0)
      throw new Error(`docker could not pull ${image.name}: ${(stderr ?? '').trim().split('\n').at(-1)}`)
  }
  return { docker, image: image.name, renamed: { [program]: image.program ?? program } }
}

/** Sends a signal to the server of a folder; `false` if there is none. */
export function signalContainer(docker: string, folder: string, signal: NodeJS.Signals): boolean {
  const id = idIn(folder)
  return id !== undefined && ask(docker, quick, 'kill', '--signal', signal, id).status === 0
}

/** Removes the container of a folder, if docker has not done so by itself. */
export function removeContainer(docker: string, folder: string): void {
  const id = idIn(folder)
  if (id !== undefined) ask(docker, quick, 'rm', '--force', id)
}

/** Where docker writes the id of a server's container. */
export function idFile(folder: string): string {
  return join(folder, 'container.id')
}

function idIn(folder: string): string | undefined {
  return existsSync(idFile(folder)) ? readFileSync(idFile(folder), 'utf8').trim() || undefined : undefined
}

/** Removes containers whose tests were killed together with the process that ends servers. */
function removeLeft(docker: string): void {
  const format = `{{.ID}} {{.Label "${label}"}}`
  const { stdout } = ask(
    docker,
    quick,
    'ps',
    '--all',
    '--no-trunc',
    '--filter',
    `label=${label}`,
    '--format',
    format,
  )
  for (const line of (stdout ?? '').split('\n')) {
    const [id = '', owner = ''] = line.split(' ')
    if (id !== '' && isGone(owner)) ask(docker, quick, 'rm', '--force', id)
  }
}

/**
 * A process, so that it is told from those of other machines and containers that ask the same docker, and from a later
 * one with its number: `<host>/<boot>/<namespace of processes>/<pid>/<start>`.
 */
export function ownerOf(pid: number): string {
  return [...here(), pid, startOf(pid)].join('/')
}

/** Whether the process ran where this one does, and runs no more. Of processes elsewhere nothing is known. */
function isGone(owner: string): boolean {
  const [host, boot, namespace, pid, start] = owner.split('/')
  if (start === undefined || [host, boot, namespace].join('/') !== here().join('/')) return false
  return startOf(Number(pid)) !== start
}

function here(): string[] {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return [hostname(), boot, readlinkSync('/proc/self/ns/pid')]
}

/** When a process began, in ticks since the boot; empty if there is none. The name before it may hold anything. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** Milliseconds in which docker answers everything but a pull. */
const quick = 10_000

function ask(docker: string, timeout: number, ...args: readonly string[]) {
  return spawnSync(docker, args, { encoding: 'utf8', timeout })
}
