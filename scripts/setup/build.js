import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** In the order of their arrows: each is compiled against the declarations of those before it. */
const packages = ['tlog', 'deedbox', 'ledger']

/** Compiles every package whose sources, or whose predecessors' sources, changed since its last build. */
export function ensureBuilt(root, node) {
  const hash = createHash('sha256')
  hash.update(readFileSync(join(root, 'tsconfig.build.json')))
  for (const name of packages) {
    const folder = join(root, 'packages', name)
    hash.update(readFileSync(join(folder, 'package.json')))
    for (const file of sourcesOf(join(folder, 'src'))) hash.update(file).update(readFileSync(file))
    const wanted = hash.copy().digest('hex')
    const dist = join(folder, 'dist')
    const stamp = join(dist, '.built-from')
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) continue
    rmSync(dist, { recursive: true, force: true })
    mkdirSync(dist)
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const result = spawnSync(node, [compiler, '-p', join(folder, 'tsconfig.build.json')], {
      stdio: ['ignore', 2, 2],
    })
    if (result.status !== 0) {
      console.error(`The package in packages/${name} does not compile; the compiler says why above.`)
      process.exit(1)
    }
    writeFileSync(stamp, wanted)
  }
}

function sourcesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}
