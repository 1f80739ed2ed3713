import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { deedbox, root, run } from '../end-to-end/ledger-process.ts'

/** Why there are no containers here, for the option `skip` of a test; false: there are. */
function cannotContain(): string | false {
  try {
    execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], {
      stdio: 'ignore',
      timeout: 10_000,
    })
    return false
  } catch {
    return 'no Docker daemon answers here'
  }
}

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run('docker', args, { cwd: root })
  assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

test('DF-60 DF-61 DF-62 DF-63 X-13 FA-63 a container of the image is healthy, passes the check and stops in order', {
  skip: cannotContain(),
  timeout: 900_000,
}, async t => {
  const image = `deedbox-ledger-test:${process.pid}`
  const of = (name: string, value: string) => ['--build-arg', `${name}=${value}`]
  await docker(
    ...['build', '--tag', image, ...of('SOURCE', 'https://github.com/acme/ledger'), ...of('VERSION', 'v1')],
    ...[...of('COMMIT', 'c636845f00c636845f00'), ...of('BUILD', 'https://ci.example/7'), '.'],
  )
  t.after(() => run('docker', ['image', 'rm', '--force', image]))
  const locked = [
    '--read-only',
    '--tmpfs',
    '/tmp',
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges',
  ]
  const container = await docker('run', '--detach', ...locked, '--publish', '127.0.0.1:0:8000', image)
  t.after(() => run('docker', ['rm', '--force', '--volumes', container]))
  let health = 'starting'
  while (health === 'starting') {
    health = await docker('inspect', '--format', '{{.State.Health.Status}}', container)
  }
  assert.equal(health, 'healthy', await docker('logs', container))
  assert.equal(await docker('exec', container, 'id', '-u'), '10001')
  const address = (await docker('port', container, '8000')).split('\n')[0]
  const { code, stdout, stderr } = await deedbox(['check', root, `http://${address}`])
  assert.equal(code, 0, stdout + stderr)
  await docker('stop', '--time', '30', container)
  assert.equal(await docker('inspect', '--format', '{{.State.ExitCode}}', container), '0')
})
