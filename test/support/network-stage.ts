import { expect } from '@jest/globals'
import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { waitFor } from '@nubo/deploy'
import { CloudClient } from './client.js'
import { GuestShell } from './guest-shell.js'
import { GuestTools } from './guest-tools.js'
import { Installation } from './installation.js'
import { eventually, linkOf, minutes } from './network-checks.js'

const run = promisify(execFile)
const password = 'let-me-in'

interface Server {
  id: string
  status: string
  addresses: Record<string, { addr: string; version: number }[]>
  'OS-EXT-SRV-ATTR:host': string
}

export interface Guest {
  id: string
  name: string
  host: string
  address: string
  /** Whose it is. */
  client: CloudClient
  shell: GuestShell
}

export interface Port {
  id: string
  mac_address: string
  network_id: string
  status: string
  security_groups: string[]
  fixed_ips: { ip_address: string; subnet_id: string }[]
}

/** An interface, as its guest has it. */
export interface Plugged {
  portId: string
  link: string
  mac: string
  addresses: string[]
}

type Resource = Record<string, unknown> & { id: string }
type Answered = Record<string, Resource> & { NeutronError?: { type: string } }

/** An installation as `npm run up` makes it, with guests of two tenants on its two hosts, on whose consoles one is logged in. */
export class NetworkStage implements AsyncDisposable {
  admin!: CloudClient
  demo!: CloudClient
  other!: CloudClient
  /** Of one tenant: on one host and on the other; a third beside the second. */
  one!: Guest
  two!: Guest
  three!: Guest
  /** Another tenant's, on a network with the same addresses, at the very address of the first. */
  stranger!: Guest
  tools!: GuestTools
  private runtime!: string
  private parts!: { imageRef: string; flavorRef: string }

  private constructor(
    readonly cloud: Installation,
    /** What a person was told when it was up. */
    readonly told: string,
  ) {}

  static async begin(): Promise<NetworkStage> {
    const cloud = await Installation.up('networks')
    const stage = new NetworkStage(cloud, await cloud.command('up'))
    try {
      await stage.logIn()
      await stage.makeGuests()
      return stage
    } catch (error) {
      await stage[Symbol.asyncDispose]()
      throw error
    }
  }

  get guests(): Guest[] {
    return [this.one, this.two, this.three, this.stranger].filter((guest) => guest !== undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const guest of this.guests) guest.shell.close()
    await this.tools?.[Symbol.asyncDispose]()
    await this.cloud[Symbol.asyncDispose]()
  }

  private async logIn(): Promise<void> {
    const clouds = await readFile(this.cloud.cloudsFile, 'utf8')
    const secretOf = (name: string) => new RegExp(`username: ${name}\\n +password: *"?([^"\\s]+)`).exec(clouds)![1]!
    const [, authUrl] = /auth_url: *"?([^"\s]+)\/v3/.exec(clouds)!
    const client = (user: string, secret: string) => new CloudClient(authUrl!, '').login(user, secret, user)
    const { id } = JSON.parse(await readFile(join(this.cloud.directory, 'installation.json'), 'utf8')) as { id: string }
    this.runtime = join('/run/nubo', id, 'data')
    this.admin = await client('admin', secretOf('admin'))
    this.demo = await client('demo', secretOf('demo'))
    this.parts = await this.partsOfServers()
    await this.makeTenant('other')
    this.other = await client('other', password)
    this.tools = await GuestTools.serve(await this.outside())
  }

  /** Where guests meet this machine: it is the gateway of the external network. */
  async outside(): Promise<string> {
    const [subnet] = await this.list(this.admin, 'subnets', '?name=external')
    return String(subnet!['gateway_ip'])
  }

  private async makeGuests(): Promise<void> {
    const { demo, other } = this
    const created = await Promise.all(['one', 'two', 'three'].map((name) => this.create(demo, name)))
    const [port] = await this.portsOf(demo, created[0]!)
    const { ip_address: fixed_ip } = port!.fixed_ips[0]!
    const network = await this.make(other, 'networks', { name: 'private' })
    const allocation_pools = [otherHalf(fixed_ip)]
    await this.make(other, 'subnets', { network_id: network, ip_version: 4, cidr: '192.168.40.0/24', allocation_pools })
    const stranger = await this.create(other, 'stranger', { fixed_ip })
    const guests = await Promise.all([
      ...['one', 'two', 'three'].map((name, index) => this.open(demo, created[index]!, name)),
      this.open(other, stranger, 'stranger'),
    ])
    ;[this.one, this.two, this.three, this.stranger] = guests as [Guest, Guest, Guest, Guest]
    if (this.one.host === this.two.host) [this.two, this.three] = [this.three, this.two]
  }

  private async partsOfServers() {
    type Catalog = { catalog: { type: string; endpoints: { interface: string; url: string }[] }[] }
    const { body } = await this.admin.call<Catalog>('GET', `${this.admin.apiUrl}/v3/auth/catalog`)
    const image = body.catalog.find((service) => service.type === 'image')!
    const url = image.endpoints.find((endpoint) => endpoint.interface === 'public')!.url
    const found = await this.admin.call<{ images: { id: string }[] }>('GET', `${url}/v2/images?name=nubo-guest`)
    const flavors = await this.admin.compute<{ flavors: { id: string; name: string }[] }>('GET', '/flavors')
    const flavorRef = flavors.body.flavors.find((flavor) => flavor.name === 'm1.nano')!.id
    return { imageRef: found.body.images[0]!.id, flavorRef }
  }

  private async makeTenant(name: string): Promise<void> {
    const { admin } = this
    const identity = (method: string, path: string, body?: unknown) =>
      admin.call<Record<string, { id: string }>>(method, `${admin.apiUrl}/v3${path}`, body)
    const project = (await identity('POST', '/projects', { project: { name, domain_id: 'default' } })).body['project']!.id
    const user = (await identity('POST', '/users', { user: { name, password, domain_id: 'default' } })).body['user']!.id
    const roles = await admin.call<{ roles: { id: string; name: string }[] }>('GET', `${admin.apiUrl}/v3/roles?name=member`)
    await identity('PUT', `/projects/${project}/users/${user}/roles/${roles.body.roles[0]!.id}`)
  }

  network(client: CloudClient, method: string, path: string, body?: unknown) {
    return client.call<Answered>(method, `${client.apiUrl}/network/v2.0${path}`, body)
  }

  /** Makes something of the network service and gives its id. */
  async make(client: CloudClient, collection: string, wanted: Record<string, unknown>): Promise<string> {
    const resource = collection.replaceAll('-', '_').replace(/ies$/, 'ys').slice(0, -1)
    const answer = await this.network(client, 'POST', `/${collection}`, { [resource]: wanted })
    expect([answer.status, answer.body]).toMatchObject([201, {}])
    return answer.body[resource]!.id
  }

  async change(client: CloudClient, path: string, body: Record<string, unknown>): Promise<void> {
    const answer = await this.network(client, 'PUT', path, body)
    expect([answer.status, answer.body]).toMatchObject([200, {}])
  }

  async remove(client: CloudClient, path: string): Promise<void> {
    const answer = await this.network(client, 'DELETE', path)
    expect([path, answer.status, answer.body]).toMatchObject([path, 204, ''])
  }

  async list(client: CloudClient, collection: string, query = ''): Promise<Resource[]> {
    const answer = await this.network(client, 'GET', `/${collection}${query}`)
    return answer.body[collection.replaceAll('-', '_')] as never
  }

  async portsOf(client: CloudClient, device: string): Promise<Port[]> {
    return (await this.list(client, 'ports', `?device_id=${device}`)) as never
  }

  /** The guest's first port. */
  async portOf(guest: Guest): Promise<Port> {
    const ports = await this.portsOf(guest.client, guest.id)
    return ports.find(({ fixed_ips: [first] }) => first!.ip_address === guest.address)!
  }

  async groupOf(client: CloudClient, name: string): Promise<string> {
    const [group] = await this.list(client, 'security-groups', `?name=${name}`)
    return group!.id
  }

  private async create(client: CloudClient, name: string, more: Record<string, unknown> = {}): Promise<string> {
    const [{ id } = { id: '' }] = await this.list(client, 'networks', '?name=private')
    const server = { name, ...this.parts, networks: [{ uuid: id, ...more }], adminPass: password, config_drive: true }
    const answer = await client.compute<{ server: { id: string } }>('POST', '/servers', { server })
    expect(answer.status).toBe(202)
    return answer.body.server.id
  }

  /** Waits until the guest runs and logs in on its console. */
  private async open(client: CloudClient, id: string, name: string): Promise<Guest> {
    const server = await this.whenActive(id)
    const says = async () => {
      const answer = await client.compute<{ output?: string }>('POST', `/servers/${id}/action`, { 'os-getConsoleOutput': {} })
      return answer.body.output?.includes('login:')
    }
    await waitFor(`${name} asks for a login`, says, { timeoutMs: 5 * minutes, everyMs: 500 })
    const host = server['OS-EXT-SRV-ATTR:host']
    const shell = await this.openShell({ id, host })
    return { id, name, host, address: server.addresses['private']![0]!.addr, client, shell }
  }

  /** Plugs an interface into a guest that runs, and waits until the guest has it up. */
  async attach(guest: Guest, interfaceAttachment: Record<string, unknown>): Promise<Plugged> {
    return await this.whenPlugged(guest, await this.askToAttach(guest, interfaceAttachment))
  }

  /** Gives the port's id. */
  async askToAttach(guest: Guest, interfaceAttachment: Record<string, unknown>): Promise<string> {
    type Attached = { interfaceAttachment: { port_id: string } }
    const answer = await eventually('nothing else is done to the guest', async () => {
      const path = `/servers/${guest.id}/os-interface`
      const { status, body } = await guest.client.compute<Attached>('POST', path, { interfaceAttachment })
      expect([status, body]).toMatchObject([status === 409 ? 409 : 200, {}])
      return status === 200 && body
    })
    return answer.interfaceAttachment.port_id
  }

  async whenPlugged(guest: Guest, portId: string): Promise<Plugged> {
    const port = (await this.portsOf(guest.client, guest.id)).find(({ id }) => id === portId)!
    const addresses = port.fixed_ips.map(({ ip_address: address }) => address)
    const link = await eventually('the guest has it', () => linkOf(guest, port))
    await eventually('it is up', async () => {
      const { output } = await guest.shell.run(`ip address show dev ${link}`)
      return addresses.filter((address) => address.includes('.')).every((address) => output.includes(`inet ${address}/`))
    })
    return { portId, link, addresses, mac: port.mac_address }
  }

  async askToDetach(guest: Guest, portId: string): Promise<void> {
    await eventually('nothing else is done to the guest', async () => {
      const { status } = await guest.client.compute('DELETE', `/servers/${guest.id}/os-interface/${portId}`)
      expect([202, 409]).toContain(status)
      return status === 202
    })
  }

  /** Takes an interface off a guest, and waits until it is gone. */
  async detach(guest: Guest, portId: string): Promise<void> {
    await this.askToDetach(guest, portId)
    await eventually('the interface is gone', async () => !(await this.interfacesOf(guest)).includes(portId))
  }

  async interfacesOf({ id, client }: Guest): Promise<string[]> {
    type Attachments = { interfaceAttachments: { port_id: string }[] }
    const { body } = await client.compute<Attachments>('GET', `/servers/${id}/os-interface`)
    return body.interfaceAttachments.map(({ port_id: port }) => port)
  }

  async openShell({ id, host }: Pick<Guest, 'id' | 'host'>): Promise<GuestShell> {
    return await GuestShell.open(join(this.runtime, 'hosts', host, 'agent/consoles', `${id}.sock`), password)
  }

  async show(id: string): Promise<Server> {
    return (await this.admin.compute<{ server: Server }>('GET', `/servers/${id}`)).body.server
  }

  async whenActive(id: string): Promise<Server> {
    const active = async () => {
      const server = await this.show(id)
      expect(server.status).not.toBe('ERROR')
      return server.status === 'ACTIVE' ? server : undefined
    }
    return await waitFor(`server ${id} is ACTIVE`, active, { timeoutMs: 5 * minutes, everyMs: 500 })
  }

  /** What runs inside of a host's namespaces. */
  async onHost(host: string, ...command: string[]): Promise<string> {
    return (await run('nsenter', ['--target', String(await this.firstProcessOf(host)), '--all', '--root', ...command])).stdout
  }

  async firstProcessOf(host: string): Promise<number> {
    const text = await readFile(join(this.cloud.directory, 'hosts', host, 'first-process.json'), 'utf8')
    return (JSON.parse(text) as { pid: number }).pid
  }

  /** Processes of a host that run one of these programs, by their numbers on the machine. */
  async processesOf(host: string, programs: readonly string[]): Promise<number[]> {
    const namespace = await readlink(`/proc/${await this.firstProcessOf(host)}/ns/pid`)
    const found: number[] = []
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const [program = ''] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
      const itsNamespace = await readlink(`/proc/${pid}/ns/pid`).catch(() => '')
      if (itsNamespace === namespace && programs.includes(basename(program))) found.push(Number(pid))
    }
    return found
  }

  /** Ends all that run these programs at once, as the kernel does when memory is short. */
  async kill(host: string, ...programs: string[]): Promise<void> {
    for (const program of programs) {
      const victims = await this.processesOf(host, [program])
      expect([program, victims]).not.toEqual([program, []])
      for (const pid of victims) process.kill(pid, 'SIGKILL')
    }
  }
}

/** The half of its /24 that this address is not in: what is given out there by chance, to DHCP too, is another one. */
function otherHalf(address: string): { start: string; end: string } {
  const [, prefix, last] = /^(.*\.)(\d+)$/.exec(address)!
  const [start, end] = Number(last) < 128 ? [128, 254] : [2, 127]
  return { start: `${prefix}${start}`, end: `${prefix}${end}` }
}
