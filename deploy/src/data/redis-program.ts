import { createHash } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Account } from '../process/account.js'

/**
 * The Redis server's program, or undefined. Debian's redis-tools brings no service, but its `redis-check-rdb` is the server:
 * one program that looks at the name it was started under.
 */
export function findRedisProgram(roots: readonly string[]): string | undefined {
  const places = roots.flatMap((root) => ['redis-server', 'redis-check-rdb'].map((name) => join(root, 'usr/bin', name)))
  return places.find((place) => existsSync(place))
}

/** Who may do what, in Redis's ACL language: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ */
export interface RedisUser {
  name: string
  password: string
  /** Such as `~* &* +@all`. */
  rules: string
}

export const everything = '~* &* +@all'

export interface RedisSettings {
  program: string
  directory: string
  addresses: readonly string[]
  port: number
  users: readonly RedisUser[]
  /** Keeps every write in an append-only file: a crash of Redis loses nothing, one of the machine the last half minute. */
  persistent: boolean
}

/** Writes the configuration and the users; gives what to start. */
export function prepareRedis(settings: RedisSettings, runAs: Account | undefined): { command: string; args: string[] } {
  const { directory } = settings
  mkdirSync(join(directory, 'data'), { recursive: true, mode: 0o700 })
  const owned = (name: string, text: string) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 })
    if (runAs) chownSync(join(directory, name), runAs.uid, runAs.gid)
  }
  if (runAs) for (const path of [directory, join(directory, 'data')]) chownSync(path, runAs.uid, runAs.gid)
  owned('users.acl', accessList(settings.users))
  owned('redis.conf', redisConfiguration(settings))
  const command = join(directory, 'redis-server')
  rmSync(command, { force: true })
  symlinkSync(settings.program, command)
  return { command, args: [join(directory, 'redis.conf')] }
}

/** The file that Redis reads its users from; passwords stand in it as SHA-256 alone. */
export function accessList(users: readonly RedisUser[]): string {
  const lines = users.map(({ name, password, rules }) => {
    const hash = createHash('sha256').update(password).digest('hex')
    return `user ${name} reset on #${hash} ${rules}`
  })
  return `user default reset off\n${lines.join('\n')}\n`
}

export function redisConfiguration(settings: RedisSettings): string {
  const lines = [
    `bind ${settings.addresses.join(' ')}`,
    `port ${settings.port}`,
    `dir ${settings.directory}/data`,
    `aclfile ${settings.directory}/users.acl`,
    'daemonize no',
    'maxmemory-policy noeviction',
    'save ""',
    `appendonly ${settings.persistent ? 'yes' : 'no'}`,
    // What a crash of the machine takes is cast again by record: no disk is made to write for it each second.
    'appendfsync no',
    'tcp-backlog 128',
    // What one value may be, what a client may have under way, and all of them together, whoever they are: hosts are held
    // to few keys, and this to what each may hold.
    'proto-max-bulk-len 1mb',
    'client-query-buffer-limit 8mb',
    'maxmemory-clients 256mb',
    // Every wake-up costs an idle machine; what waits for a message is woken by it all the same.
    'hz 1',
    'crash-memcheck-enabled no',
  ]
  return `# Written by Nubo at every start.\n${lines.join('\n')}\n`
}
