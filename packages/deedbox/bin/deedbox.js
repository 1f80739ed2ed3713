#!/usr/bin/env node
import nodeModule from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'

// Said here, where any Node gets to: what is imported below does not run on an older one.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(`deedbox: this needs Node 22.13 or later; here it is ${process.versions.node}.\n`)
  process.exit(1)
}

// A server takes in batches that live for a moment. By default the engine's young generation then grows to 96 MB, which
// it never gives back; that can only be set when a process starts. So it starts anew, in the same process.
const youngGeneration = '--max-semi-space-size=4'
const isSet = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some(option =>
  /max-semi-space-size/.test(option),
)
if (process.argv[2] === 'serve' && !isSet && process.execve !== undefined && process.platform !== 'win32') {
  const args = [process.execPath, youngGeneration, ...process.execArgv, ...process.argv.slice(1)]
  // Two threads need no more than two arenas; glibc would make eight for each core.
  process.execve(process.execPath, args, { MALLOC_ARENA_MAX: '2', ...process.env })
}

// After a collection the engine lets a heap grow up to fourfold before the next. Under batches that is 80 MB more, and
// next to no gain in speed.
if (process.argv[2] === 'serve') setFlagsFromString('--heap-growing-percent=80')

try {
  // In a folder of the user's own: what lies there is run.
  nodeModule.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'deedbox'))
} catch {
  // A user without a home has no cache.
}
const { main } = await import('../dist/commands/main.js')
process.exitCode = await main(process.argv.slice(2))
