import { SimulatedHostNetwork, type HostPlan, type NetworkPlan, type PortPlan } from '@nubo/host-network'
import { newId, systemRandom, type NetworkId, type PortId, type ProjectId, type ServerId } from '@nubo/kernel'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Files } from '../files.js'
import { GuestFiles, type GuestRecord } from '../guests/guest-files.js'
import { memoryFiles } from '../testing/memory-files.js'
import { quiet } from '../testing/test-agent.js'
import { VirtualClock } from '../testing/virtual-clock.js'
import { metadataOf } from './guest-metadata.js'
import { MetadataServer } from './metadata-server.js'
import { ServedNetwork } from './served-network.js'

const projectId = newId<ProjectId>(systemRandom)
const network: NetworkPlan = {
  ...{ networkId: newId<NetworkId>(systemRandom), projectId, segment: { kind: 'vxlan', vni: 7 }, mtu: 1_450, dnsDomain: '' },
  ...{
    subnets: [],
    service: { portId: newId(systemRandom), mac: 'fa:16:3e:00:00:02', addresses: [] },
    neighbours: [],
    names: [],
  },
}
const portOf = (serverId: ServerId): PortPlan => ({
  ...{ portId: newId<PortId>(systemRandom), networkId: network.networkId, projectId, serverId, mac: 'fa:16:3e:00:00:01' },
  ...{ addresses: ['10.0.0.5'], adminStateUp: true, portSecurity: true, allowedPairs: [], groups: [], hostname: 'web-1' },
  ...{ extraDhcpOptions: [], serverMetadata: { role: 'now' }, publicIpv4: null, passwordClears: 0 },
})
const record = (serverId: ServerId): GuestRecord => ({
  ...{ serverId, projectId, incarnation: 1, fencingEpoch: 1, name: 'web-1', vcpus: 1, memoryMiB: 64 },
  ...{ imagePath: '/i', imageFormat: 'qcow2' as const, nics: [] },
})

/** On a host they are put on at taps; here each port calls from an address of this machine, by its place in the plan. */
const addressAt = (index: number) => `127.0.0.${index + 11}`
const identities = ({ ports }: Pick<HostPlan, 'ports'>) => ports.map((port, index) => ({ identity: addressAt(index), port }))

describe('the metadata server', () => {
  const [web, database, nobodys] = [newId<ServerId>(systemRandom), newId<ServerId>(systemRandom), newId<ServerId>(systemRandom)]
  const [webPort, databasePort, emptyPort] = [portOf(web), portOf(database), portOf(nobodys)]
  const plan = { networks: [network], ports: [webPort, databasePort, emptyPort] } as unknown as HostPlan
  let files: Files
  let guests: GuestFiles
  let server: MetadataServer
  let clock: VirtualClock
  let port: number

  beforeEach(async () => {
    files = memoryFiles()
    guests = await GuestFiles.open(files, '/guests', () => {})
    for (const serverId of [web, database]) {
      await guests.save(record(serverId))
      const metaData = { uuid: serverId, hostname: serverId === web ? 'web-1' : 'database' }
      await guests.saveMetadata(record(serverId), metadataOf({ metaData, userData: null }, { flavorName: 'm1', imageId: 'i' }))
    }
    clock = new VirtualClock()
    server = new MetadataServer({ guests, clock, random: systemRandom, logger: quiet, identities })
    port = await server.listen(0)
    server.follow(plan)
    server.settle({ revision: 1 })
  })
  afterEach(() => server.close())

  const addressOf = (of: PortPlan) => addressAt(plan.ports.indexOf(of))
  const ask = (from: PortPlan, path: string, more: Partial<Question> = {}) => question(port, addressOf(from), { path, ...more })

  it('tells each guest about itself, whatever it writes into its request', async () => {
    const headers = {
      'x-forwarded-for': addressOf(webPort),
      'x-instance-id': web,
      'x-real-ip': addressOf(webPort),
      host: '10.0.0.5',
    }
    for (const sent of [{}, headers]) {
      expect((await ask(databasePort, '/latest/meta-data/hostname', { headers: sent })).text).toBe('database')
    }
    expect((await ask(webPort, '/latest/meta-data/hostname')).text).toBe('web-1')
    const { text } = await ask(webPort, '/openstack/latest/meta_data.json')
    expect(JSON.parse(text)).toMatchObject({ uuid: web, meta: { role: 'now' } })
  })

  it('says under which address a guest is known outside, as long as it is', async () => {
    const told = async () => (await ask(webPort, '/latest/meta-data/public-ipv4')).text
    expect(await told()).toBe('')
    for (const publicIpv4 of ['192.0.2.50', null]) {
      server.follow({ ...plan, ports: [{ ...webPort, publicIpv4 }, databasePort, emptyPort] })
      expect(await told()).toBe(publicIpv4 ?? '')
    }
  })

  it('knows nothing of a port whose server is not here, nor below what it has', async () => {
    expect((await ask(emptyPort, '/openstack/latest/meta_data.json')).status).toBe(404)
    expect((await ask(webPort, '/openstack/latest/nothing')).status).toBe(404)
    expect((await ask(webPort, '/%zz')).status).toBe(400)
    expect((await ask(emptyPort, '/')).text).toContain('2009-04-04\nlatest')
  })

  it('says nothing to who is nobody of ours', async () => {
    await expect(question(port, '127.0.0.99', { path: '/' })).rejects.toThrow(/ECONNRESET|socket hang up/)
  })

  it('keeps a password that the guest sets, once and not too long', async () => {
    const path = '/openstack/latest/password'
    expect(await ask(webPort, path)).toEqual({ status: 200, text: '' })
    expect((await ask(webPort, path, { method: 'POST', body: 'x'.repeat(1_021) })).status).toBe(400)
    expect((await ask(webPort, path, { method: 'DELETE' })).status).toBe(400)
    expect((await ask(webPort, path, { method: 'POST', body: 'sealed' })).status).toBe(200)
    expect(await ask(webPort, path)).toEqual({ status: 200, text: 'sealed' })
    expect((await ask(webPort, path, { method: 'POST', body: 'again' })).status).toBe(409)
    expect((await ask(databasePort, path)).text).toBe('')
  })

  it('takes no password that is no text, and an empty one for none', async () => {
    const path = '/openstack/latest/password'
    for (const body of [Buffer.from([0xff, 0xfe]), 'with a \0']) {
      expect((await ask(webPort, path, { method: 'POST', body })).status).toBe(400)
    }
    expect((await ask(webPort, path, { method: 'POST', body: '' })).status).toBe(200)
    expect((await ask(webPort, path, { method: 'POST', body: 'sealed' })).status).toBe(200)
  })

  it('takes one of two passwords that come at once', async () => {
    const set = (body: string) => ask(webPort, '/openstack/latest/password', { method: 'POST', body })
    const statuses = (await Promise.all([set('one'), set('another')])).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, 409])
  })

  it('takes another password when the one before was cleared, and keeps that over its end', async () => {
    const path = '/openstack/latest/password'
    const cleared = { ...plan, ports: [{ ...webPort, passwordClears: 1 }, databasePort, emptyPort] }
    await ask(webPort, path, { method: 'POST', body: 'sealed' })
    server.follow(cleared)
    expect(await ask(webPort, path)).toEqual({ status: 200, text: '' })
    expect((await ask(webPort, path, { method: 'POST', body: 'another' })).status).toBe(200)
    expect((await ask(webPort, path, { method: 'POST', body: 'a third' })).status).toBe(409)

    await server.close()
    guests = await GuestFiles.open(files, '/guests', () => {})
    server = new MetadataServer({ guests, clock, random: systemRandom, logger: quiet, identities })
    port = await server.listen(0)
    server.follow(cleared)
    expect(await ask(webPort, path)).toEqual({ status: 200, text: 'another' })
  })

  it("is told of while its port is another's, and tried again", async () => {
    const network = new SimulatedHostNetwork()
    const second = new MetadataServer({ guests, clock, random: systemRandom, logger: quiet, identities })
    const served = new ServedNetwork(network, second, port)
    expect(await served.apply({ ...plan, revision: 3 })).toEqual({ revision: 3, trouble: expect.stringContaining('EADDRINUSE') })
    await server.close()
    expect(await served.mend()).toEqual({ revision: 3 })
    expect((await ask(webPort, '/latest')).status).toBe(200)
    await served.close()
  })

  it('holds back who asks without end, and nobody else', async () => {
    const statuses = new Set<number>()
    for (let count = 0; count < 201; count++) statuses.add((await ask(webPort, '/latest')).status)
    expect(statuses).toEqual(new Set([200, 429]))
    expect((await ask(databasePort, '/latest')).status).toBe(200)
    await clock.pass(1_000)
    expect((await ask(webPort, '/latest')).status).toBe(200)
  })

  it('lets one guest hold so many connections and no more', async () => {
    const held: Socket[] = []
    for (let count = 0; count < 17; count++) held.push(connectFrom(port, addressOf(webPort)))
    await closedOf(held[16]!)
    expect(held.slice(0, 16).filter(({ destroyed }) => destroyed)).toEqual([])
    expect((await ask(databasePort, '/latest')).status).toBe(200)
    for (const socket of held) socket.destroy()
  })

  it('lets a guest with many addresses hold no more of them', async () => {
    const addresses = Array.from({ length: 17 }, (_, index) => `127.0.1.${index + 1}`)
    const own = { identities: () => addresses.map((identity) => ({ identity, port: webPort })) }
    const other = new MetadataServer({ guests, clock, random: systemRandom, logger: quiet, ...own })
    const otherPort = await other.listen(0)
    other.follow(plan)
    const held = addresses.map((address) => connectFrom(otherPort, address))
    await closedOf(held[16]!)
    expect(held.slice(0, 16).filter(({ destroyed }) => destroyed)).toEqual([])
    await other.close()
  })

  it('lets the guests of one tenant hold so many connections together, and none of the places of others', async () => {
    const many = Array.from({ length: 17 }, () => portOf(web))
    const foreign = { ...portOf(database), projectId: newId<ProjectId>(systemRandom) }
    const own = { identities: () => [...many, foreign].map((each, index) => ({ identity: addressAt(index), port: each })) }
    const other = new MetadataServer({ guests, clock, random: systemRandom, logger: quiet, ...own })
    const otherPort = await other.listen(0)
    other.follow(plan)
    const held = many.flatMap((_, index) => Array.from({ length: 16 }, () => connectFrom(otherPort, addressAt(index))))
    await Promise.all(held.slice(256).map(closedOf))
    expect(held.filter(({ destroyed }) => destroyed)).toHaveLength(16)
    expect((await question(otherPort, addressAt(17), { path: '/latest/meta-data/hostname' })).text).toBe('database')
    await other.close()
  })

  it("answers nobody at an address that becomes another port's until it is: so long both may bear it", async () => {
    const moved = { ...plan, ports: [emptyPort, databasePort, webPort] } as HostPlan
    const hostname = (index: number) => question(port, addressAt(index), { path: '/latest/meta-data/hostname' })
    const refused = (index: number) => expect(hostname(index)).rejects.toThrow(/ECONNRESET|socket hang up/)
    server.follow(moved)
    await refused(0)
    await refused(2)
    expect((await hostname(1)).text).toBe('database')
    server.settle({ revision: 2, trouble: 'its filters', troubled: [network.networkId] })
    await refused(2)
    server.settle({ revision: 2, trouble: 'a program of another', troubled: [newId<NetworkId>(systemRandom)] })
    expect((await hostname(2)).text).toBe('web-1')
    expect((await hostname(0)).status).toBe(404)
  })

  it("answers at an address that was nobody's as soon as a port has it", async () => {
    const newcomer = portOf(database)
    server.follow({ ...plan, ports: [...plan.ports, newcomer] })
    expect((await question(port, addressAt(3), { path: '/latest/meta-data/hostname' })).text).toBe('database')
  })

  it('knows of an address that was given up, and given away, under plans that never came into force', async () => {
    server.follow({ ...plan, ports: [] })
    server.follow({ ...plan, ports: [databasePort] })
    await expect(question(port, addressAt(0), { path: '/latest' })).rejects.toThrow(/ECONNRESET|socket hang up/)
    server.settle({ revision: 3 })
    expect((await question(port, addressAt(0), { path: '/latest/meta-data/hostname' })).text).toBe('database')
  })

  it("ends the conversations of an address that becomes another port's, and no others", async () => {
    const talk = async (from: PortPlan) => {
      const socket = connectFrom(port, addressOf(from))
      socket.write('GET /latest HTTP/1.1\r\nHost: x\r\n\r\n')
      await once(socket, 'data')
      return socket
    }
    const [first, second] = [await talk(webPort), await talk(databasePort)]
    const ended = closedOf(first)
    server.follow({ ...plan, ports: [emptyPort, databasePort] } as HostPlan)
    await ended
    second.write('GET /latest HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(String((await once(second, 'data'))[0])).toContain('200 OK')
    second.destroy()
  })
})

function connectFrom(port: number, localAddress: string): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress })
  return socket.on('error', () => socket.destroy())
}

const closedOf = async (socket: Socket) => void (socket.closed || (await new Promise((resolve) => socket.on('close', resolve))))

interface Question {
  path: string
  method: string
  headers: Record<string, string>
  body: string | Buffer
}

function question(port: number, localAddress: string, { body, ...options }: Partial<Question>) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request({ ...options, host: '127.0.0.1', port, localAddress, agent: false })
    asked.on('error', reject)
    asked.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(parts).toString() }))
    })
    asked.end(body)
  })
}
