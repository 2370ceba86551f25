import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Refusal } from './refusal.mjs'
import { runInView } from './run.mjs'

const passedOn = [
  'PATH',
  'CI',
  'TERM',
  'npm_execpath',
  'npm_config_registry',
  'npm_config_cafile',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
]
const alsoPassedOn = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']

/** Runs this same command as root through sudo; undefined when we are root already, else the exit code. */
export async function viaSudo(args) {
  if (process.getuid() === 0) return undefined
  const sudo = findProgram('sudo')
  if (!sudo) throw new Refusal('this needs root for packages, namespaces and guests, and there is no sudo: run it as root.')
  const environment = [...passedOn, ...alsoPassedOn].flatMap((name) =>
    process.env[name] ? [`${name}=${process.env[name]}`] : [],
  )
  const quietly = process.stdin.isTTY ? [] : ['-n']
  const again = [...quietly, 'env', ...environment, process.execPath, process.argv[1], ...args]
  if (quietly.length && (await runInView(sudo, ['-n', 'true'])) !== 0) {
    throw new Refusal('this needs root, and sudo asks for a password where there is no terminal: run it as root.')
  }
  return await runInView(sudo, again)
}

/** The person who typed the command, who is to own what is made for people. */
export function person() {
  const { SUDO_UID, SUDO_GID } = process.env
  if (SUDO_UID && SUDO_GID) return { uid: Number(SUDO_UID), gid: Number(SUDO_GID) }
  return { uid: process.getuid(), gid: process.getgid() }
}

export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin']
  return folders
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
