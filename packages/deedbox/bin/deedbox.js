#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// A server takes in batches that live for a moment. By default the engine's young generation then grows to 96 MB, which
// it never gives back; that can only be set when a process starts. So it starts anew, in the same process.
const youngGeneration = '--max-semi-space-size=8'
const isSet = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some(option =>
  /max-semi-space-size/.test(option),
)
if (process.argv[2] === 'serve' && !isSet && process.execve !== undefined && process.platform !== 'win32') {
  const args = [process.execPath, youngGeneration, ...process.execArgv, ...process.argv.slice(1)]
  // Two threads need no more than two arenas; glibc would make eight for each core.
  process.execve(process.execPath, args, { MALLOC_ARENA_MAX: '2', ...process.env })
}

// In a folder of the user's own: what lies there is run.
enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'deedbox'))
const { main } = await import('../dist/commands/main.js')
process.exitCode = await main(process.argv.slice(2))
