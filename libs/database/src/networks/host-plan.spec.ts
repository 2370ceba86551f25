import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startPostgres } from '@nubo/deploy'
import type { HostId, ServerId, SessionId } from '@nubo/kernel'
import type { Database } from '../connection.js'
import { sessionOf } from '../hosts/registry.js'
import { HealthyCloud } from '../testing/healthy-cloud.js'
import { NetworkRows } from '../testing/network-rows.js'
import { TestDatabase } from '../testing/test-database.js'
import { noteNetworkChange } from './changes.js'
import { readHostPlan } from './host-plan.js'
import { raisePlans, recordApplied, settleFencedNetworks, takeDuePlans } from './plan-revisions.js'
import { placeRouters } from './router-placement.js'

const silenceMs = 30_000

let records: TestDatabase
let database: Database
let cloud: HealthyCloud
let rows: NetworkRows
let hosts: [HostId, HostId]
let servers: [ServerId, ServerId]

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
  cloud = new HealthyCloud(database)
  rows = new NetworkRows(database)
  // Hosts can be heard, and were heard just now.
  await database.execute(`UPDATE hearing SET marked_at = clock_timestamp() + interval '1 hour', heard_ms = 1`)
}, 60_000)

afterAll(() => records?.stop())

beforeEach(async () => {
  await rows.clear()
  await cloud.clear()
  hosts = [await cloud.addHost('host-1'), await cloud.addHost('host-2')]
  servers = [await cloud.addServer(hosts[0]), await cloud.addServer(hosts[1])]
})

const raise = () =>
  database.transaction(async (tx) => {
    await placeRouters(tx, silenceMs)
    return await raisePlans(tx)
  })
const planOf = (hostId: HostId) => database.snapshot((db) => readHostPlan(db, hostId))
const due = async () => (await takeDuePlans(database, silenceMs)).toSorted()

async function apply(hostId: HostId, revision: number, trouble: string | null = null): Promise<void> {
  const sessionId = (await sessionOf(database, hostId)) as SessionId
  await recordApplied(database, { hostId, sessionId, revision, trouble, warning: null })
}

async function statusOf(portId: string): Promise<string | undefined> {
  const [row] = await database.query<{ status: string }>('SELECT status FROM ports WHERE id = $1', [portId])
  return row?.status
}

async function twoGuests() {
  const group = await rows.group()
  const network = await rows.network(7)
  const near = await rows.port(network, {
    ...{ address: '10.0.0.5', mac: 'fa:16:3e:00:00:05', hostId: hosts[0], serverId: servers[0], groups: [group] },
  })
  const far = await rows.port(network, {
    ...{ address: '10.0.0.6', mac: 'fa:16:3e:00:00:06', hostId: hosts[1], serverId: servers[1], groups: [group] },
  })
  return { group, network, near, far }
}

describe('the plan of a host', () => {
  it('holds its ports, where the others of their networks are, and the groups that they need', async () => {
    const { group, network, near } = await twoGuests()
    await rows.port(network, { address: '10.0.0.2', mac: 'fa:16:3e:00:00:02', deviceOwner: 'network:dhcp' })
    await raise()
    const plan = await planOf(hosts[0])
    expect(plan).toMatchObject({
      hostId: hosts[0],
      revision: 1,
      networks: [
        {
          networkId: network,
          segment: { kind: 'vxlan', vni: 7 },
          mtu: 1500,
          subnets: [{ cidr: '10.0.0.0/24', gateway: '10.0.0.1', dhcp: true }],
          service: { mac: 'fa:16:3e:00:00:02', addresses: ['10.0.0.2'] },
          neighbours: [{ mac: 'fa:16:3e:00:00:06', addresses: ['10.0.0.6'], host: '192.0.2.1' }],
        },
      ],
      ports: [{ portId: near, serverId: servers[0], addresses: ['10.0.0.5'], groups: [group] }],
      groups: [
        {
          groupId: group,
          rules: [{ direction: 'ingress', protocol: 6, remoteGroup: group }],
          members: ['10.0.0.5/32', '10.0.0.6/32'],
        },
      ],
      routers: [],
    })
  })

  it('has nothing of networks that the host does not carry, nor of ports that are gone', async () => {
    const { near, far } = await twoGuests()
    await rows.port(await rows.network(8), {
      ...{ address: '10.0.0.5', mac: 'fa:16:3e:00:00:05', hostId: hosts[1], serverId: servers[1] },
    })
    await database.execute('UPDATE ports SET gone_at = clock_timestamp(), plan_revision = NULL WHERE id = $1', [far])
    await raise()
    const plan = await planOf(hosts[0])
    expect(plan!.networks.map((network) => network.segment)).toEqual([{ kind: 'vxlan', vni: 7 }])
    expect(plan!.networks[0]!.neighbours).toEqual([])
    expect(plan!.ports.map((port) => port.portId)).toEqual([near])
  })

  it('is none for a host that never had any', async () => {
    await raise()
    expect(await planOf(hosts[0])).toBeUndefined()
  })
})

describe('revisions', () => {
  it('rise once for many changes, on the hosts that these concern, which are then due', async () => {
    const { network } = await twoGuests()
    await noteNetworkChange(database, 'network', network, network)
    await raise()
    expect(await due()).toEqual([...hosts].toSorted())
    expect(await due()).toEqual([])
    expect((await planOf(hosts[1]))!.revision).toBe(1)
  })

  it('rise for a group where its members, and the members of groups that name it, are', async () => {
    const { group } = await twoGuests()
    const naming = await rows.group()
    await database.execute('UPDATE security_group_rules SET remote_group_id = $1 WHERE group_id = $2', [group, naming])
    await database.execute(
      'UPDATE port_security_groups SET group_id = $1 WHERE port_id IN (SELECT id FROM ports WHERE host_id = $2)',
      [naming, hosts[1]],
    )
    await raise()
    await due()
    await noteNetworkChange(database, 'group', group)
    await raise()
    expect(await due()).toEqual([...hosts].toSorted())
  })

  it('make ports ACTIVE when their host carries them, and not before', async () => {
    const { near, far } = await twoGuests()
    await raise()
    await apply(hosts[0], 1)
    expect(await statusOf(near)).toBe('ACTIVE')
    expect(await statusOf(far)).toBe('DOWN')
  })

  it('conclude nothing where a part is missing, or the session is over', async () => {
    const { near } = await twoGuests()
    await raise()
    await apply(hosts[0], 1, 'no device for the network')
    await recordApplied(database, {
      hostId: hosts[0],
      sessionId: servers[0] as string as SessionId,
      revision: 1,
      trouble: null,
      warning: null,
    })
    expect(await statusOf(near)).toBe('DOWN')
    await apply(hosts[0], 1)
    expect(await statusOf(near)).toBe('ACTIVE')
  })

  it('keep the addresses of a port that is gone until its host carries it no more', async () => {
    const { near, network } = await twoGuests()
    await raise()
    await apply(hosts[0], 1)
    await database.execute('UPDATE ports SET gone_at = clock_timestamp(), plan_revision = NULL WHERE id = $1', [near])
    await noteNetworkChange(database, 'network', network)
    await apply(hosts[0], 1)
    expect(await statusOf(near)).toBeDefined()
    await raise()
    await apply(hosts[0], 1)
    expect(await statusOf(near)).toBeDefined()
    await apply(hosts[0], 2)
    expect(await statusOf(near)).toBeUndefined()
    expect(await database.query(`SELECT FROM port_addresses WHERE port_id = $1`, [near])).toEqual([])
  })

  it('of a fenced host keep nothing back', async () => {
    const { near } = await twoGuests()
    await database.execute('UPDATE ports SET gone_at = clock_timestamp(), plan_revision = NULL WHERE id = $1', [near])
    await database.execute('UPDATE hosts SET forced_down = true WHERE id = $1', [hosts[0]])
    await settleFencedNetworks(database)
    expect(await statusOf(near)).toBeUndefined()
  })
})

describe('a router', () => {
  async function routed() {
    const { network } = await twoGuests()
    const routerId = await rows.router()
    const port = await rows.port(network, { address: '10.0.0.1', mac: 'fa:16:3e:00:00:01', routerId })
    await raise()
    return { network, routerId, port, home: await homeOf(routerId) }
  }

  async function homeOf(routerId: string) {
    const [row] = await database.query<{ hostId: HostId | null; leftHostId: HostId | null; incarnation: number }>(
      `SELECT host_id AS "hostId", left_host_id AS "leftHostId", incarnation FROM routers WHERE id = $1`,
      [routerId],
    )
    return row!
  }

  const otherThan = (hostId: HostId | null) => hosts.find((host) => host !== hostId)!

  it('gets a host, which is told of it, and the others are told where it is', async () => {
    const { routerId, port, home } = await routed()
    expect(home).toMatchObject({ incarnation: 1, leftHostId: null })
    expect(await planOf(home.hostId!)).toMatchObject({
      routers: [{ routerId, incarnation: 1, interfaces: [{ portId: port, addresses: ['10.0.0.1/24'] }] }],
    })
    const elsewhere = await planOf(otherThan(home.hostId))
    expect(elsewhere!.routers).toEqual([])
    expect(elsewhere!.networks[0]!.neighbours.flatMap((neighbour) => neighbour.addresses)).toContain('10.0.0.1')
  })

  it('leaves a host that is to be emptied, and gets another one only when the first carries it no more', async () => {
    const { routerId, home } = await routed()
    await apply(home.hostId!, 1)
    await database.execute('UPDATE hosts SET enabled = false WHERE id = $1', [home.hostId])
    await raise()
    expect(await homeOf(routerId)).toMatchObject({ hostId: null, leftHostId: home.hostId })
    const without = await planOf(home.hostId!)
    expect(without!.routers).toEqual([])
    await raise()
    expect(await homeOf(routerId)).toMatchObject({ hostId: null })
    await apply(home.hostId!, without!.revision)
    await raise()
    expect(await homeOf(routerId)).toEqual({ hostId: otherThan(home.hostId), leftHostId: null, incarnation: 2 })
  })

  it('stays on a host that is to be emptied while there is no other', async () => {
    const { routerId, home } = await routed()
    await database.execute('UPDATE hosts SET enabled = false')
    await raise()
    expect(await homeOf(routerId)).toEqual(home)
  })

  it('of a fenced host goes to another one at once, with its ports', async () => {
    const { routerId, port, home } = await routed()
    await database.execute('UPDATE hosts SET forced_down = true WHERE id = $1', [home.hostId])
    await settleFencedNetworks(database)
    await raise()
    expect(await homeOf(routerId)).toEqual({ hostId: otherThan(home.hostId), leftHostId: null, incarnation: 2 })
    expect(await database.query(`SELECT host_id AS "hostId" FROM ports WHERE id = $1`, [port])).toEqual([
      { hostId: otherThan(home.hostId) },
    ])
  })

  it('of a host that is only silent stays where it is', async () => {
    const { routerId, home } = await routed()
    await database.execute('UPDATE hosts SET heard_ms = -1000000 WHERE id = $1', [home.hostId])
    await raise()
    expect(await homeOf(routerId)).toEqual(home)
  })
})
