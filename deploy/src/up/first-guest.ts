import { spawn } from 'node:child_process'
import { existsSync, openAsBlob, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@nubo/kernel'
import type { Cloud } from '../cloud.js'
import { runOrThrow } from '../process/run.js'
import type { CloudClient, Server } from './cloud-client.js'
import { ensureGuestKey, sshTrouble } from './guest-access.js'
import { connectionOf, ensureFloatingIp } from './networks.js'

const imageName = 'nubo-guest'
const guestName = 'first'
/** What the small image needs to boot. */
const guestMemoryMiB = 96
const guestDiskGiB = 1
const bootTimeoutMs = 300_000
const consoleLines = 12

export interface FirstGuest {
  name: string
  state: string
  reason?: string
  flavor?: string
  /** The last lines that it printed. */
  console: string[]
  /** Where the machine reaches it, and why it does not where that is so. */
  address?: string
  trouble?: string
}

/** Builds the small guest image and uploads it through the image API, unless the cloud has it. */
export async function ensureGuestImage(cloud: Cloud, client: CloudClient, progress: (words: string) => void): Promise<string> {
  const known = await client.findImage(imageName)
  if (known?.status === 'active') return `${imageName} is there`
  const folder = cloud.folder.folder('guest-image')
  const file = join(folder, 'nubo-guest.qcow2')
  await buildImage(cloud, [file, join(folder, 'cache')], progress)
  progress('uploading')
  const id = known?.status === 'queued' ? known.id : await client.createImage(imageName)
  await client.uploadImage(id, await openAsBlob(file))
  return `${imageName} built and uploaded`
}

/** The package lists may be older than an image of the machine that was made without them. */
async function buildImage(cloud: Cloud, args: string[], progress: (words: string) => void): Promise<void> {
  const script = join(cloud.clone, 'deploy/guest-image/build.sh')
  const first = await runScript(script, args, progress)
  if (first.code === 0) return
  if (!first.lastWords.includes('apt-get update')) throw new Error(first.lastWords)
  progress('fetching package lists')
  await runOrThrow('apt-get', ['update', '--quiet'])
  const second = await runScript(script, args, progress)
  if (second.code !== 0) throw new Error(second.lastWords)
}

function runScript(
  script: string,
  args: string[],
  progress: (words: string) => void,
): Promise<{ code: number; lastWords: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => progress(text.trim().split('\n').at(-1)!.slice(0, 60)))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code: code ?? 128, lastWords: errors.trim().split('\n').at(-1) || 'the guest image was not built' }),
    )
  })
}

/** Boots the first guest at the first `up`; later only tells of it. A person who deleted it is not given another. */
export async function ensureFirstGuest(
  cloud: Cloud,
  client: CloudClient,
  progress: (words: string) => void,
): Promise<FirstGuest> {
  const mark = join(cloud.folder.folder('run'), 'first-guest')
  let existing = (await client.servers()).find((server) => server.name === guestName)
  if (existing?.status === 'ERROR') {
    // What failed at an earlier `up` is tried again, as everything else is.
    await client.deleteServer(existing.id)
    existing = undefined
  } else if (!existing && existsSync(mark)) return { name: guestName, state: 'deleted', console: [] }
  const flavor = await client.smallestFlavor(guestMemoryMiB, guestDiskGiB)
  const id = existing?.id ?? (await createGuest(cloud, client, flavor.id))
  writeFileSync(mark, id)
  const server = await waitForEnd(client, id, progress)
  const guest: FirstGuest = {
    name: guestName,
    state: server.status,
    reason: server.fault?.message,
    flavor: flavor.name,
    console: [],
  }
  if (server.status !== 'ACTIVE') return guest
  const lines = await waitForLogin(client, id, progress)
  return { ...guest, console: lines, ...(await reach(client, id, progress)) }
}

async function createGuest(cloud: Cloud, client: CloudClient, flavorId: string): Promise<string> {
  const image = (await client.findImage(imageName))!
  const connection = await connectionOf(client)
  const more = { ...connection, key_name: await ensureGuestKey(cloud, client) }
  return await client.createServer(guestName, image.id, flavorId, more)
}

async function reach(client: CloudClient, id: string, progress: (words: string) => void): Promise<Partial<FirstGuest>> {
  const address = await ensureFloatingIp(client, id)
  if (!address) return {}
  progress(`waiting for ssh at ${address}`)
  return { address, trouble: await sshTrouble(address) }
}

/** Until the server is neither being built nor being started. */
async function waitForEnd(client: CloudClient, id: string, progress: (words: string) => void): Promise<Server> {
  const end = systemClock.monotonicMs() + bootTimeoutMs
  for (;;) {
    const server = await client.server(id)
    progress(server.status)
    if (!['BUILD', 'REBOOT', 'HARD_REBOOT'].includes(server.status) || systemClock.monotonicMs() > end) return server
    await systemClock.sleep(100)
  }
}

async function waitForLogin(client: CloudClient, id: string, progress: (words: string) => void): Promise<string[]> {
  const end = systemClock.monotonicMs() + bootTimeoutMs
  for (;;) {
    const lines = (await client.consoleOutput(id, 50)).replaceAll('\r', '').trimEnd().split('\n')
    const last = lines.at(-1) ?? ''
    if (last.includes('login:') || systemClock.monotonicMs() > end) return lines.slice(-consoleLines)
    progress(`ACTIVE, on its console: ${last.slice(0, 40)}`)
    await systemClock.sleep(250)
  }
}
