import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { waitFor } from '@nubo/deploy'
import { CloudClient } from '../support/client.js'
import { GuestShell } from '../support/guest-shell.js'
import { Installation } from '../support/installation.js'

// What holds is shown by packets between real guests, on the two hosts of an installation as `npm run up` makes it.

const run = promisify(execFile)
const minutes = 60_000
const password = 'let-me-in'

interface Address {
  addr: string
  version: number
}
interface Server {
  id: string
  status: string
  addresses: Record<string, Address[]>
  'OS-EXT-SRV-ATTR:host': string
}
interface Guest {
  id: string
  name: string
  host: string
  address: string
  shell: GuestShell
}

let cloud: Installation
let told: string
let admin: CloudClient
let demo: CloudClient
let other: CloudClient
let runtime: string
let parts: { imageRef: string; flavorRef: string }
/** Of one tenant: on one host and on the other; a third beside the second. */
let one: Guest
let two: Guest
let three: Guest
/** Another tenant's, on a network with the same addresses. */
let stranger: Guest

beforeAll(async () => {
  cloud = await Installation.up('networks')
  told = await cloud.command('up')
  const clouds = await readFile(cloud.cloudsFile, 'utf8')
  const secretOf = (name: string) => new RegExp(`username: ${name}\\n +password: *"?([^"\\s]+)`).exec(clouds)![1]!
  const [, authUrl] = /auth_url: *"?([^"\s]+)\/v3/.exec(clouds)!
  const client = (user: string, secret: string, project = user) => new CloudClient(authUrl!, '').login(user, secret, project)
  admin = await client('admin', secretOf('admin'))
  demo = await client('demo', secretOf('demo'))
  runtime = await runtimeFolder()
  parts = await partsOfServers()
  await makeTenant('other')
  other = await client('other', password)
  const network = await make(other, 'networks', { name: 'private' })
  await make(other, 'subnets', { network_id: network, ip_version: 4, cidr: '192.168.40.0/24' })
  const created = [
    await create(demo, 'one'),
    await create(demo, 'two'),
    await create(demo, 'three'),
    await create(other, 'stranger'),
  ]
  const guests = await Promise.all(created.map(([client, id, name]) => open(client, id, name)))
  ;[one, two, three, stranger] = guests as [Guest, Guest, Guest, Guest]
  if (one.host === two.host) [two, three] = [three, two]
}, 15 * minutes)

afterAll(async () => {
  for (const guest of [one, two, three, stranger]) guest?.shell.close()
  await cloud?.[Symbol.asyncDispose]()
}, 5 * minutes)

/** The short path of the installation, under which its hosts' sockets can be reached. */
async function runtimeFolder(): Promise<string> {
  const { id } = JSON.parse(await readFile(join(cloud.directory, 'installation.json'), 'utf8')) as { id: string }
  return join('/run/nubo', id, 'data')
}

async function partsOfServers() {
  const images = await admin.compute<{ images: { id: string; name: string }[] }>('GET', '/images').catch(() => undefined)
  const imageRef = images?.body.images?.find((image) => image.name === 'nubo-guest')?.id ?? (await imageByCatalog())
  const flavors = await admin.compute<{ flavors: { id: string; name: string }[] }>('GET', '/flavors')
  return { imageRef, flavorRef: flavors.body.flavors.find((flavor) => flavor.name === 'm1.nano')!.id }
}

async function imageByCatalog(): Promise<string> {
  type Catalog = { catalog: { type: string; endpoints: { interface: string; url: string }[] }[] }
  const { body } = await admin.call<Catalog>('GET', `${admin.apiUrl}/v3/auth/catalog`)
  const image = body.catalog.find((service) => service.type === 'image')!
  const url = image.endpoints.find((endpoint) => endpoint.interface === 'public')!.url
  const found = await admin.call<{ images: { id: string }[] }>('GET', `${url}/v2/images?name=nubo-guest`)
  return found.body.images[0]!.id
}

async function makeTenant(name: string): Promise<void> {
  const identity = (method: string, path: string, body?: unknown) =>
    admin.call<Record<string, { id: string }>>(method, `${admin.apiUrl}/v3${path}`, body)
  const project = (await identity('POST', '/projects', { project: { name, domain_id: 'default' } })).body['project']!.id
  const user = (await identity('POST', '/users', { user: { name, password, domain_id: 'default' } })).body['user']!.id
  const roles = await admin.call<{ roles: { id: string; name: string }[] }>('GET', `${admin.apiUrl}/v3/roles?name=member`)
  await identity('PUT', `/projects/${project}/users/${user}/roles/${roles.body.roles[0]!.id}`)
}

type Named = Record<string, { id: string } & Record<string, unknown>>
const network = (client: CloudClient, method: string, path: string, body?: unknown) =>
  client.call<Named>(method, `${client.apiUrl}/network/v2.0${path}`, body)

/** Makes something of the network service and gives its id. */
async function make(client: CloudClient, collection: string, wanted: Record<string, unknown>): Promise<string> {
  const resource = collection.replaceAll('-', '_').slice(0, -1)
  const answer = await network(client, 'POST', `/${collection}`, { [resource]: wanted })
  expect([answer.status, answer.body]).toMatchObject([201, {}])
  return answer.body[resource]!.id
}

async function list(client: CloudClient, collection: string, query = ''): Promise<(Record<string, unknown> & { id: string })[]> {
  const answer = await network(client, 'GET', `/${collection}${query}`)
  return answer.body[collection.replaceAll('-', '_')] as never
}

async function create(client: CloudClient, name: string): Promise<[CloudClient, string, string]> {
  const [{ id } = { id: '' }] = await list(client, 'networks', '?name=private')
  const server = { name, ...parts, networks: [{ uuid: id }], adminPass: password, config_drive: true }
  const answer = await client.compute<{ server: { id: string } }>('POST', '/servers', { server })
  expect(answer.status).toBe(202)
  return [client, answer.body.server.id, name]
}

/** Waits until the guest runs and logs in on its console. */
async function open(client: CloudClient, id: string, name: string): Promise<Guest> {
  const show = async () => (await admin.compute<{ server: Server }>('GET', `/servers/${id}`)).body.server
  const server = await waitFor(`${name} is ACTIVE`, async () => active(await show()), { timeoutMs: 5 * minutes, everyMs: 500 })
  const says = async () => {
    const answer = await client.compute<{ output?: string }>('POST', `/servers/${id}/action`, { 'os-getConsoleOutput': {} })
    return answer.body.output?.includes('login:')
  }
  await waitFor(`${name} asks for a login`, says, { timeoutMs: 5 * minutes, everyMs: 500 })
  const host = server['OS-EXT-SRV-ATTR:host']
  const shell = await GuestShell.open(join(runtime, 'hosts', host, 'agent/consoles', `${id}.sock`), password)
  return { id, name, host, address: server.addresses['private']![0]!.addr, shell }
}

function active(server: Server): Server | undefined {
  expect(server.status).not.toBe('ERROR')
  return server.status === 'ACTIVE' ? server : undefined
}

const pings = async (from: Guest, address: string, ...options: string[]) =>
  (await from.shell.run(`ping -c 3 -W 3 ${options.join(' ')} ${address}`)).code === 0

const eventually = (what: string, condition: () => Promise<boolean>) =>
  waitFor(what, condition, { timeoutMs: minutes, everyMs: 500 })

/** True when something accepts connections there, as the machine sees it. */
function accepts(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port, timeout: 2_000 })
    const end = (answer: boolean) => resolve(socket.destroy() && answer)
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .once('timeout', () => end(false))
  })
}

const portOf = async (guest: Guest) => (await list(demo, 'ports', `?device_id=${guest.id}`))[0]!

/** What runs inside of a host's namespaces. */
async function onHost(host: string, ...command: string[]): Promise<string> {
  const status = await cloud.command('status')
  const pid = new RegExp(`^${host} +(\\d+) `, 'm').exec(status)![1]!
  return (await run('nsenter', ['--target', pid, '--all', '--root', ...command])).stdout
}

it(
  'the first guest has an address outside, and lets its person in by ssh',
  async () => {
    const [, address] = /ssh -i \S+ nubo@(\S+)/.exec(told)!
    const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'ConnectTimeout=30']
    const key = ['-i', join(cloud.directory, 'first-guest.key')]
    const { stdout } = await run('ssh', [...key, ...options.flatMap((option) => ['-o', option]), `nubo@${address}`, 'hostname'])
    expect(stdout.trim()).toBe('first')
  },
  2 * minutes,
)

it(
  'guests have the addresses that the cloud shows, and reach each other on one host and across two, with full packets',
  async () => {
    expect(one.host).not.toBe(two.host)
    for (const guest of [one, two, three])
      expect((await guest.shell.run('ip -4 address show dev eth0')).output).toContain(`inet ${guest.address}/24`)
    expect(await pings(one, two.address, '-s 1472')).toBe(true)
    expect(await pings(two, one.address)).toBe(true)
    const neighbour = three.host === one.host ? one : two
    expect(await pings(three, neighbour.address, '-s 1472')).toBe(true)
    expect((await one.shell.run('cat /sys/class/net/eth0/mtu')).output).toBe('1500')
  },
  3 * minutes,
)

it(
  'their network knows their names',
  async () => {
    expect((await one.shell.run(`ping -c 1 -W 3 ${two.name}`)).output).toContain(two.address)
  },
  minutes,
)

it('two tenants with the same addresses never meet', async () => {
  const reached = []
  for (const guest of [one, two, three])
    if (guest.address !== stranger.address && (await pings(stranger, guest.address))) reached.push(guest.name)
  expect(reached).toEqual([])
}, 180_000)

it(
  'a guest gets what is its own from the metadata service, whatever it says of itself',
  async () => {
    const ask = (header: string) => `timeout 20 wget -q -O - ${header} http://169.254.169.254/openstack/latest/meta_data.json`
    for (const header of ['', `--header "X-Forwarded-For: ${two.address}"`, `--header "X-Instance-ID: ${two.id}"`]) {
      const { output } = await one.shell.run(ask(header))
      expect(JSON.parse(output)).toMatchObject({ uuid: one.id, name: 'one' })
    }
    expect(JSON.parse((await stranger.shell.run(ask(''))).output)).toMatchObject({ uuid: stranger.id })
  },
  3 * minutes,
)

it(
  'a guest cannot send as another',
  async () => {
    const free = '192.168.40.222'
    await one.shell.run(`ip address add ${free}/24 dev eth0`)
    expect(await pings(one, two.address, `-I ${free}`)).toBe(false)
    await one.shell.run(`ip address del ${free}/24 dev eth0`)
    const mac = (await one.shell.run('cat /sys/class/net/eth0/address')).output
    await one.shell.run('ip link set eth0 address fa:16:3e:66:66:66')
    expect(await pings(one, two.address)).toBe(false)
    await one.shell.run(`ip link set eth0 address ${mac}`)
    await eventually('it is heard again as itself', () => pings(one, two.address))
  },
  4 * minutes,
)

it(
  'guests reach the outside through their router; what comes in is let in by a rule while there is one',
  async () => {
    const [external] = await list(demo, 'networks', '?name=external')
    const [subnet] = await list(admin, 'subnets', '?name=external')
    expect(await pings(two, String(subnet!['gateway_ip']))).toBe(true)
    const { id: port_id } = await portOf(two)
    const floating = await make(demo, 'floatingips', { floating_network_id: external!.id, port_id })
    const address = String((await list(demo, 'floatingips', `?id=${floating}`))[0]!['floating_ip_address'])
    expect(await accepts(address, 22)).toBe(false)
    const [group] = await list(demo, 'security-groups', '?name=default')
    const ssh = { direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp', port_range_min: 22, port_range_max: 22 }
    const rule = await make(demo, 'security-group-rules', { security_group_id: group!.id, ...ssh })
    await eventually('the rule holds on a running guest', () => accepts(address, 22))
    expect((await network(demo, 'DELETE', `/security-group-rules/${rule}`)).status).toBe(204)
    await eventually('it holds no more', async () => !(await accepts(address, 22)))
    // Given to another guest, which is in the group that lets ssh in.
    const [open] = await list(demo, 'security-groups', '?name=ssh')
    const other = await portOf(three)
    await network(demo, 'PUT', `/ports/${other.id}`, { port: { security_groups: [group!.id, open!.id] } })
    await network(demo, 'PUT', `/floatingips/${floating}`, { floatingip: { port_id: other.id } })
    await eventually('it leads to another guest', () => accepts(address, 22))
  },
  6 * minutes,
)

it(
  'traffic goes on while agents, dnsmasq and libvirt are killed, and addresses are given out again',
  async () => {
    const going = one.shell.run(`ping -c 30 ${two.address}`, 2 * minutes)
    for (const host of [one.host, two.host]) {
      const victims = await processesOf(host, ['dnsmasq', 'libvirtd', 'node'])
      expect(victims.length).toBeGreaterThanOrEqual(3)
      for (const pid of victims) process.kill(pid, 'SIGKILL')
    }
    expect((await going).output).toMatch(/30 packets transmitted, (29|30) packets received/)
    const lease = 'udhcpc -i eth0 -n -q -t 3 -T 3 -f'
    await eventually('DHCP is back', async () => (await one.shell.run(lease)).code === 0)
  },
  5 * minutes,
)

/** Processes of a host with one of these names, by their numbers on the machine. */
async function processesOf(host: string, names: readonly string[]): Promise<number[]> {
  const status = await cloud.command('status')
  const [, first] = new RegExp(`^${host} +(\\d+) `, 'm').exec(status)!
  const namespace = await readlink(`/proc/${first}/ns/pid`)
  const found: number[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    const itsNamespace = await readlink(`/proc/${pid}/ns/pid`).catch(() => '')
    if (itsNamespace === namespace && names.includes(name.trim())) found.push(Number(pid))
  }
  return found
}

it(
  'when everything is deleted the hosts are as they were before the first network',
  async () => {
    for (const guest of [one, two, three, stranger]) guest.shell.close()
    const servers = await admin.compute<{ servers: { id: string }[] }>('GET', '/servers?all_tenants=1')
    for (const { id } of servers.body.servers) await admin.compute('DELETE', `/servers/${id}`)
    await eventually('the servers are gone', async () => {
      const left = await admin.compute<{ servers: unknown[] }>('GET', '/servers?all_tenants=1')
      return left.body.servers.length === 0
    })
    for (const { id } of await list(admin, 'floatingips')) await network(admin, 'DELETE', `/floatingips/${id}`)
    for (const router of await list(admin, 'routers')) {
      for (const port of await list(admin, 'ports', `?device_id=${router.id}&device_owner=network:router_interface`))
        await network(admin, 'PUT', `/routers/${router.id}/remove_router_interface`, { port_id: port.id })
      expect((await network(admin, 'DELETE', `/routers/${router.id}`)).status).toBe(204)
    }
    for (const { id } of await list(admin, 'networks'))
      await eventually(
        'the network can be deleted',
        async () => (await network(admin, 'DELETE', `/networks/${id}`)).status === 204,
      )
    for (const host of ['host-1', 'host-2']) {
      await eventually(`${host} has no links of networks left`, async () => {
        const links = JSON.parse(await onHost(host, 'ip', '-json', 'link')) as { ifname: string }[]
        return links.every(({ ifname }) => ['lo', 'u0', 'x0'].includes(ifname))
      })
      expect((await onHost(host, 'ip', 'netns')).trim()).toBe('')
      expect(await onHost(host, 'nft', 'list', 'ruleset')).not.toMatch(/nu(br|vx|dh|rt|t[0-9a-f])/)
      expect(await processesOf(host, ['dnsmasq'])).toEqual([])
    }
  },
  5 * minutes,
)
