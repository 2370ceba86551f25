import { diskFiles } from '@nubo/compute-agent/dist/files.js'
import { GuestFiles } from '@nubo/compute-agent/dist/guests/guest-files.js'
import { metadataOf } from '@nubo/compute-agent/dist/metadata/guest-metadata.js'
import { MetadataServer } from '@nubo/compute-agent/dist/metadata/metadata-server.js'
import type { PortPlan } from '@nubo/host-network'
import { networkOf, portOf } from '@nubo/host-network/testing'
import { systemClock, systemRandom } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import type { Figure } from './figures.js'
import { median, p99 } from './statistics.js'

const metadataWithinMs = 20

/**
 * What a guest's boot asks for, by ten guests of a host one after the other, with a connection a question as cloud-init has
 * it: as the agent takes it, from the question's head to the answer's end, and as a guest sees it.
 */
export async function benchMetadata(): Promise<Figure[]> {
  const directory = await mkdtemp('/tmp/nubo-bench-metadata-')
  const guests = await GuestFiles.open(diskFiles({ durable: false }), directory, () => {})
  const network = networkOf(1)
  const ports = await Promise.all(Array.from({ length: 10 }, (_, index) => guestOf(guests, portOf(network, index + 10))))
  const addressAt = (index: number) => `127.0.0.${index + 10}`
  const atAgent: number[] = []
  const server = new MetadataServer({
    ...{ guests, random: systemRandom, clock: systemClock, logger: quiet },
    identities: () => ports.map((port, index) => ({ identity: addressAt(index), port })),
    onAnswered: (_, seconds) => atAgent.push(seconds * 1_000),
  })
  const port = await server.listen(0)
  server.follow({ networks: [network], ports })
  try {
    const seen: number[] = []
    for (const index of ports.keys()) seen.push(...(await askAll(port, addressAt(index))))
    return [
      { name: 'at the agent', value: median(atAgent), p99: p99(atAgent), unit: 'ms' },
      { name: '  the slowest of a hundred', value: p99(atAgent), unit: 'ms', aim: { atMost: metadataWithinMs } },
      { name: 'as the guest sees it', value: median(seen), p99: p99(seen), unit: 'ms' },
    ]
  } finally {
    await server.close()
    await rm(directory, { recursive: true })
  }
}

const quiet = { info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger

async function guestOf(guests: GuestFiles, port: PortPlan): Promise<PortPlan> {
  const { serverId, projectId } = port
  const record = {
    ...{ serverId, projectId, incarnation: 1, fencingEpoch: 1, name: 'guest', vcpus: 1, memoryMiB: 64 },
    ...{ imagePath: '/image', imageFormat: 'qcow2' as const, nics: [] },
  }
  const metaData = { uuid: serverId, hostname: 'guest', public_keys: { key: 'ssh-ed25519 AAAA' }, availability_zone: 'nova' }
  const userData = Buffer.alloc(16_384, 'x').toString('base64')
  await guests.save(record)
  await guests.saveMetadata(record, metadataOf({ metaData, userData }, { flavorName: 'm1', imageId: 'image' }))
  return port
}

const paths = [
  '/openstack',
  '/openstack/latest/meta_data.json',
  '/openstack/latest/network_data.json',
  '/openstack/latest/user_data',
  '/openstack/latest/vendor_data.json',
  '/latest/meta-data/',
  '/latest/meta-data/public-keys/0/openssh-key',
  '/latest/user-data',
]

async function askAll(port: number, localAddress: string): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < 20; round++) {
    for (const path of paths) {
      const startedMs = systemClock.monotonicMs()
      await ask(port, localAddress, path)
      times.push(systemClock.monotonicMs() - startedMs)
    }
  }
  return times
}

function ask(port: number, localAddress: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, localAddress, path, agent: new Agent({ keepAlive: false }) }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode}`))
      response.on('end', resolve).resume()
    })
    asked.on('error', reject)
  })
}
