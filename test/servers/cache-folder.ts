import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const repository = resolve(import.meta.dirname, '../..')

/** Milliseconds after which nobody makes anything any more. The longest build is given half an hour. */
const longestMaking = 86_400_000

/**
 * A folder that is made once for all test runs. It appears when it is whole; several test files may make it at a time, and
 * what one leaves that is killed meanwhile is removed a day later.
 * @param make fills the folder `made`; `work` is for what is needed meanwhile
 */
export function madeOnce(name: string, make: (made: string, work: string) => void): string {
  const cache = cacheFolder()
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  for (const left of globSync('making-*', { cwd: cache }))
    if (Date.now() - madeAt(join(cache, left)) > longestMaking)
      rmSync(join(cache, left), { recursive: true, force: true })
  const work = mkdtempSync(join(cache, 'making-'))
  try {
    const made = join(work, 'made')
    mkdirSync(made)
    make(made, work)
    // A server that does not run as root has to get in.
    chmodSync(made, 0o755)
    try {
      renameSync(made, folder)
    } catch (error) {
      // Another test file was faster.
      if (!existsSync(folder)) throw error
    }
    return folder
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Milliseconds since 1970; now, if it is gone. */
function madeAt(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
}

/** In the repository, unless a server that does not run as root could not get there. */
export function cacheFolder(): string {
  const own = join(repository, 'node_modules', '.cache', 'deedbox-servers')
  if (process.getuid?.() !== 0 || isOpen(repository)) return own
  // A test may have a folder for temporary files of its own, which is as closed.
  const shared = join([tmpdir(), '/tmp'].find(isOpen) ?? tmpdir(), 'deedbox-servers')
  // Anybody may make a folder there; nobody else's programs are to run.
  mkdirSync(shared, { recursive: true })
  if (statSync(shared).uid !== 0) throw new Error(`${shared} is somebody else's`)
  return shared
}

/** Whether everybody may pass through a folder and all above it. */
function isOpen(folder: string): boolean {
  return (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || isOpen(dirname(folder)))
}
