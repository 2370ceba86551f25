import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { waitFor } from '@nubo/deploy'
import type { CloudClient } from '../support/client.js'
import { Cloud } from '../support/cloud.js'

const minutes = 60_000

interface Port {
  id: string
  status: string
  device_id: string
  fixed_ips: { ip_address: string }[]
}

interface Server {
  id: string
  status: string
  addresses: Record<string, { addr: string }[]>
  'OS-EXT-STS:task_state': string | null
}

let cloud: Cloud
let demo: CloudClient
let parts: { imageRef: string; flavorRef: string }
let network: string

const hosts = ['one', 'two'].map((name) => ({ name, vcpus: 100, memoryMiB: 40 * 64, diskGiB: 1_000 }))

beforeAll(async () => {
  cloud = await Cloud.start({ hosts })
  const admin = await cloud.admin()
  demo = await cloud.demo()
  const imageRef = await admin.uploadImage('tiny', 'raw', new Uint8Array(1024 * 1024))
  const flavor = { name: 'tiny', vcpus: 1, ram: 64, disk: 1 }
  const made = await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor })
  parts = { imageRef, flavorRef: made.body.flavor.id }
}, 2 * minutes)

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
}, minutes)

const net = <T>(method: string, path: string, body?: unknown) => demo.call<T>(method, `${cloud.apiUrl}/v2.0${path}`, body)

beforeEach(async () => {
  network = (await net<{ network: { id: string } }>('POST', '/networks', { network: { name: 'inside' } })).body.network.id
  const subnet = { network_id: network, ip_version: 4, cidr: '10.0.0.0/28', enable_dhcp: false }
  expect((await net('POST', '/subnets', { subnet })).status).toBe(201)
})

const ports = async () =>
  (await net<{ ports: Port[] }>('GET', `/ports?network_id=${network}`)).body.ports.filter(
    ({ device_id: device }) => device !== '',
  )
const servers = async () => (await demo.compute<{ servers: Server[] }>('GET', '/servers/detail')).body.servers
const soon = { timeoutMs: 2 * minutes, everyMs: 100 }

async function create(count = 1, networks: unknown = [{ uuid: network }]): Promise<Server[]> {
  const server = { name: 'guest', ...parts, networks, min_count: count, max_count: count }
  expect((await demo.compute('POST', '/servers', { server })).status).toBe(202)
  return await waitFor(
    'the servers are ACTIVE',
    async () => {
      const all = await servers()
      expect(all.map(({ status }) => status)).not.toContain('ERROR')
      return all.length === count && all.every(({ status }) => status === 'ACTIVE') ? all : undefined
    },
    soon,
  )
}

async function removeAll(): Promise<void> {
  for (const { id } of await servers()) expect((await demo.compute('DELETE', `/servers/${id}`)).status).toBe(204)
  await waitFor('all servers are gone', async () => (await servers()).length === 0, soon)
}

const allActive = (count: number) =>
  waitFor(
    'their hosts carry the ports',
    async () => {
      const all = await ports()
      return all.length === count && all.every(({ status }) => status === 'ACTIVE') ? all : undefined
    },
    soon,
  )

it(
  'servers get addresses of their network, are told them, and give them back for the next ones: more than the network holds at once',
  async () => {
    for (let round = 0; round < 2; round++) {
      const made = await create(10)
      const addresses = made.map((server) => server.addresses['inside']![0]!.addr)
      expect(new Set(addresses).size).toBe(10)
      const found = await allActive(10)
      expect(found.map((port) => port.fixed_ips[0]!.ip_address).toSorted()).toEqual(addresses.toSorted())
      await removeAll()
      expect(await ports()).toEqual([])
    }
    expect((await net('DELETE', `/networks/${network}`)).status).toBe(204)
  },
  5 * minutes,
)

it(
  'an interface is attached to a server and detached from it, though its host goes away right then',
  async () => {
    const [server] = await create()
    const answer = await demo.compute<{ interfaceAttachment: { port_id: string } }>(
      'POST',
      `/servers/${server!.id}/os-interface`,
      {
        interfaceAttachment: { net_id: network },
      },
    )
    expect(answer.status).toBe(200)
    await allActive(2)
    const port = answer.body.interfaceAttachment.port_id
    const detach = () => demo.compute('DELETE', `/servers/${server!.id}/os-interface/${port}`)
    await waitFor('the attachment has ended', async () => (await detach()).status === 202, soon)
    for (const { name } of hosts) await cloud.kill(`agent-${name}`)
    for (const { name } of hosts) await cloud.startService(`agent-${name}`)
    const rest = await waitFor(
      'the port is gone',
      async () => {
        const all = await ports()
        return all.length === 1 ? all : undefined
      },
      soon,
    )
    expect(rest[0]!.id).not.toBe(port)
    await removeAll()
    expect(await ports()).toEqual([])
    expect((await net('DELETE', `/networks/${network}`)).status).toBe(204)
  },
  5 * minutes,
)

it(
  "a tenant's own port goes from server to server with its address",
  async () => {
    const own = (await net<{ port: Port }>('POST', '/ports', { port: { network_id: network } })).body.port
    for (let round = 0; round < 2; round++) {
      const [server] = await create(1, [{ port: own.id }])
      expect(server!.addresses['inside']!.map(({ addr }) => addr)).toEqual([own.fixed_ips[0]!.ip_address])
      await removeAll()
    }
    expect((await net('DELETE', `/ports/${own.id}`)).status).toBe(204)
    expect((await net('DELETE', `/networks/${network}`)).status).toBe(204)
  },
  5 * minutes,
)
