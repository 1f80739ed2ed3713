import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { madeOnce } from './cache-folder.ts'
import type { GoSource, ServerKind } from './server-kind.ts'

/**
 * The folder that holds a server's program, built from its source the first time: minutes on a small machine. Go works in
 * its ordinary caches, and nothing is installed.
 * @throws Error saying why it cannot be had
 */
export function builtProgram({ program }: ServerKind, source: GoSource): string {
  return madeOnce(`${program}-${source.version}`, (made, work) => {
    const go = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin', '/usr/lib/go/bin']
      .map(folder => join(folder, 'go'))
      .find(file => file !== 'go' && existsSync(file))
    if (go === undefined) throw new Error('there is no Go to build it with')
    const { Dir: module } = JSON.parse(
      run(go, ['mod', 'download', '-json', `${source.module}@${source.version}`], work),
    ) as { readonly Dir: string }
    // A module as it was downloaded cannot be written to, and some lack a file that their makers' own build adds.
    const copy = join(work, 'source')
    cpSync(module, copy, { recursive: true })
    run('chmod', ['-R', 'u+w', copy], work)
    for (const [name, text] of Object.entries(source.files ?? {})) writeFileSync(join(copy, name), text)
    const env = source.pkgConfig === undefined ? {} : withPkgConfig(go, source.pkgConfig, work)
    const linked = source.linked === undefined ? '' : ` -X ${source.linked}`
    const flags = ['-mod=readonly', '-trimpath', '-buildvcs=false', `-ldflags=-s -w${linked}`]
    run(go, ['build', ...flags, '-o', join(made, program), source.package], copy, env)
  })
}

/** The environment of a build whose `pkg-config` comes from a module, and builds libraries with Cargo. */
function withPkgConfig(go: string, module: string, work: string): NodeJS.ProcessEnv {
  const bin = join(work, 'bin')
  run(go, ['install', module], work, { GOBIN: bin })
  // What its makers' compiler said nothing about, a newer one warns of, and they let no warning pass.
  const rustc = join(work, 'rustc')
  const script = `case " $* " in *" --cap-lints "*) exec "$@" ;; *) exec "$@" --cap-lints allow ;; esac`
  writeFileSync(rustc, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const path = [bin, dirname(go), ...(process.env.PATH ?? '').split(delimiter)].join(delimiter)
  const active = spawnSync('rustup', ['show', 'active-toolchain'], { cwd: work, encoding: 'utf8' })
  // They name one that need not be here.
  const toolchain = active.status === 0 ? { RUSTUP_TOOLCHAIN: active.stdout.split(' ', 1)[0]! } : {}
  return { CGO_ENABLED: '1', PATH: path, RUSTC_WRAPPER: rustc, ...toolchain }
}

function run(program: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: 1_800_000,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', ...more },
  })
  if (status === 0) return stdout
  const why = (error?.message ?? (stderr || stdout)).trim().split('\n').at(-1)
  throw new Error(`${program} could not build it: ${why}`)
}
