import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerKind } from './server-kind.ts'

/** Who is to say who they are. */
export interface RedisOptions {
  /** The default user's; without it nobody has to say anything. */
  readonly password?: string
  /** One more user, who may do everything. */
  readonly user?: { readonly name: string; readonly password: string }
}

/** Redis, empty. What it has taken is in its log when it is killed, and there again when it is started again. */
export function redisServer({ password, user }: RedisOptions = {}): ServerKind {
  return {
    name: 'Redis',
    program: 'redis-server',
    folders: ['usr/bin', 'usr/local/bin', 'opt/homebrew/opt/redis/bin'],
    packages: ['redis-server'],
    image: { name: 'redis:7.2.5' },
    refusesRoot: false,
    end: 'SIGKILL',
    halt: 'SIGTERM',
    ready: /Ready to accept connections/,
    prepare: ({ folder, port }) => {
      const lines = [
        'bind 127.0.0.1',
        `port ${port}`,
        `dir ${JSON.stringify(folder)}`,
        'save ""',
        'appendonly yes',
        'appendfsync no',
        ...(password === undefined ? [] : [`requirepass ${JSON.stringify(password)}`]),
        ...(user === undefined
          ? []
          : [`user ${user.name} on ${JSON.stringify(`>${user.password}`)} ~* &* +@all`]),
      ]
      // Beside the command line, which everybody on the machine can read.
      writeFileSync(join(folder, 'redis.conf'), `${lines.join('\n')}\n`, { mode: 0o600 })
    },
    args: ({ folder }) => [join(folder, 'redis.conf')],
  }
}
