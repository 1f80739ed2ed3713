import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { arch, availableParallelism, cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os'
import { join, resolve } from 'node:path'
import { quantile } from './statistics.ts'

/** Where figures come from: without it they mean nothing. */
export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  system: string
  /** How many programs wanted a core in the minute before, on average: what disturbed the run. */
  loadBefore: number
  /** Of the folder that everything was written to. */
  fileSystem: string
  /** Milliseconds of an fdatasync after 4 KiB appended there: no durable write is faster. */
  fdatasync: { median: number; p99: number }
  node: string
  sqlite: string
  /** Versions of the peers, by package. */
  peers: Record<string, string>
}

const peers = [
  'express',
  'fastify',
  'pg',
  'mysql2',
  'mongodb',
  '@influxdata/influxdb-client',
  'pino',
  'pino-http',
  'morgan',
  'winston',
  'evlog',
  '@logtape/logtape',
  '@logtape/express',
  'loglayer',
]

/** Describes this machine; writes a few hundred small blocks to the folder for temporary files. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    loadBefore: loadavg()[0] ?? 0,
    fileSystem: fileSystemOf(resolve(tmpdir())),
    fdatasync: fdatasyncTimes(),
    node: process.versions.node,
    sqlite: process.versions.sqlite ?? 'unknown',
    peers: Object.fromEntries(peers.map(name => [name, versionOf(name)])),
  }
}

/** Some packages do not let their package.json be imported, but all have one. */
function versionOf(name: string): string {
  const file = findPackageJSON(name, import.meta.url)
  if (file === undefined) throw new Error(`The package ${name} is not installed.`)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function fdatasyncTimes(): { median: number; p99: number } {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-bench-disk-'))
  const file = openSync(join(folder, 'log'), 'w')
  const block = Buffer.alloc(4096, 1)
  const times: number[] = []
  try {
    for (let n = 0; n < 300; n++) {
      const started = performance.now()
      writeSync(file, block)
      fdatasyncSync(file)
      times.push(performance.now() - started)
    }
  } finally {
    closeSync(file)
    rmSync(folder, { recursive: true, force: true })
  }
  return { median: quantile(times, 0.5), p99: quantile(times, 0.99) }
}

/** The type of the mount that a folder lies on, from /proc. */
function fileSystemOf(folder: string): string {
  let mounts: string
  try {
    mounts = readFileSync('/proc/self/mounts', 'utf8')
  } catch {
    return 'unknown'
  }
  const above = mounts
    .split('\n')
    .map(line => line.split(' '))
    .filter(([, point = '?']) => point === '/' || folder === point || folder.startsWith(`${point}/`))
    .sort(([, a = ''], [, b = '']) => a.length - b.length)
  return above.at(-1)?.[2] ?? 'unknown'
}
