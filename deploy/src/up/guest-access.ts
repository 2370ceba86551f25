import { chownSync, existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Cloud } from '../cloud.js'
import { runOrThrow } from '../process/run.js'
import { waitFor } from '../process/wait.js'
import type { CloudClient } from './cloud-client.js'
import { person } from './person.js'

const keypair = 'first'
const answerTimeoutMs = 60_000

/** The private key that the first guest lets in. */
export const guestKeyFile = (cloud: Cloud) => join(cloud.folder.path, 'first-guest.key')

/** A key pair of the demo user, made by the tenants' own command line; its private half is the person's. */
export async function ensureGuestKey(cloud: Cloud, demo: CloudClient): Promise<string> {
  const file = guestKeyFile(cloud)
  const path = `/os-keypairs/${keypair}`
  const isKnown = await demo.ask('compute', 'GET', path).then(
    () => true,
    () => false,
  )
  if (isKnown && existsSync(file)) return keypair
  if (isKnown) await demo.remove('compute', path)
  const env = { ...process.env, OS_CLIENT_CONFIG_FILE: cloud.folder.clouds, OS_CLOUD: 'nubo' }
  const args = [join(cloud.clone, 'clients/cli/bin/nubo.js'), 'keypair', 'create', keypair, '--private-key', file]
  await runOrThrow(process.execPath, args, { env })
  const { uid, gid } = person()
  chownSync(file, uid, gid)
  return keypair
}

/** Waits until ssh answers there; says nothing where it does, and why not where it does not. */
export async function sshTrouble(address: string): Promise<string | undefined> {
  try {
    await waitFor(`${address} does not answer ssh`, () => greets(address), { timeoutMs: answerTimeoutMs, everyMs: 200 })
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** True when an SSH server names itself there (RFC 4253, section 4.2). */
function greets(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 2_000 })
    const end = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.setEncoding('latin1').once('data', (words) => end(String(words).startsWith('SSH-')))
    socket
      .once('timeout', () => end(false))
      .once('error', () => end(false))
      .once('close', () => end(false))
  })
}
