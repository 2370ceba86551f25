import { waitFor } from '@nubo/deploy'
import { testGuest } from '@nubo/hypervisor/testing'
import type { CloudClient } from '../support/client.js'
import type { ServerParts } from './load/requests.js'
import type { World } from './world.js'

const guestMemoryMiB = 32
const bystanders = 2
/** The smallest disk that holds the guest's one sector, rounded up to what images are made of. */
const imageBytes = 1024 * 1024

export interface Stage {
  admin: CloudClient
  demo: CloudClient
  parts: ServerParts
  networkId: string
}

/** What a load needs: an image of one sector, a flavor as small as can be, a network, no quota in the way, and the bystanders. */
export async function setUp(world: World): Promise<Stage> {
  const admin = await world.client('admin')
  const demo = await world.client('demo')
  const image = new Uint8Array(imageBytes)
  image.set(testGuest)
  const imageRef = await admin.uploadImage('chaos', 'raw', image)
  const flavor = { name: 'chaos', vcpus: 1, ram: guestMemoryMiB, disk: 1 }
  const made = await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor })
  const found = await demo.call<{ projects: { id: string }[] }>('GET', `${demo.apiUrl}/v3/auth/projects`)
  const quota_set = { instances: -1, cores: -1, ram: -1 }
  await admin.compute('PUT', `/os-quota-sets/${found.body.projects[0]!.id}`, { quota_set })
  const networkId = await makeNetwork(demo)
  const parts = { imageRef, flavorRef: made.body.flavor.id, networks: [{ uuid: networkId }] }
  for (let number = 1; number <= bystanders; number++)
    world.bystanders.add(await makeBystander(demo, `bystander-${number}`, parts))
  return { admin, demo, parts, networkId }
}

/** Enough addresses for all that are deleted while a host is away, which lets go of none before it is back. */
async function makeNetwork(demo: CloudClient): Promise<string> {
  const { network } = await make<{ network: { id: string } }>(demo, 'networks', { network: { name: 'chaos' } })
  await make(demo, 'subnets', { subnet: { network_id: network.id, ip_version: 4, cidr: '10.20.30.0/24' } })
  return network.id
}

async function make<T>(client: CloudClient, what: string, body: unknown): Promise<T> {
  const made = await client.network<T>('POST', `/${what}`, body)
  if (made.status !== 201) throw new Error(`POST /${what}: ${made.status} ${JSON.stringify(made.body)}`)
  return made.body
}

async function makeBystander(client: CloudClient, name: string, parts: ServerParts): Promise<string> {
  const made = await client.compute<{ server: { id: string } }>('POST', '/servers', { server: { name, ...parts } })
  if (made.status !== 202) throw new Error(`POST /servers: ${made.status} ${JSON.stringify(made.body)}`)
  const { id } = made.body.server
  const status = async () => (await client.compute<{ server: { status: string } }>('GET', `/servers/${id}`)).body.server.status
  await waitFor(`${name} is ACTIVE`, async () => (await status()) === 'ACTIVE', { timeoutMs: 120_000, everyMs: 200 })
  return id
}
