import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startPostgres } from '@nubo/deploy'
import { deviceOwners } from '@nubo/domain'
import { newId, systemRandom, type HostId, type NetworkId, type ServerId, type SessionId } from '@nubo/kernel'
import type { Database } from '../connection.js'
import { forgetHost } from '../hosts/forget-host.js'
import { registerHost, sessionOf, settleHost } from '../hosts/registry.js'
import { HealthyCloud } from '../testing/healthy-cloud.js'
import { registrationOf } from '../testing/host-rows.js'
import { NetworkRows } from '../testing/network-rows.js'
import { TestDatabase } from '../testing/test-database.js'
import { noteNetworkChange } from './changes.js'
import { readHostPlan } from './host-plan.js'
import { networksNeedWork, raisePlans, recordApplied, settleFencedNetworks, takeDuePlans } from './plan-revisions.js'
import { placeRouters } from './router-placement.js'
import { settleServicePort } from './service-port.js'
import { deleteSubnet } from './subnets.js'

const silenceMs = 30_000

let records: TestDatabase
let database: Database
let cloud: HealthyCloud
let rows: NetworkRows
let hosts: [HostId, HostId]
let servers: [ServerId, ServerId]
/** Of what hosts said last. */
let sequence = 0

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
  cloud = new HealthyCloud(database)
  rows = new NetworkRows(database)
  // Hosts can be heard, and were heard just now.
  await database.execute(`UPDATE hearing SET marked_at = clock_timestamp() + interval '1 hour', heard_ms = 1`)
})

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

async function apply(hostId: HostId, revision: number, trouble: string | null = null, troubled: NetworkId[] = []): Promise<void> {
  const sessionId = (await sessionOf(database, hostId)) as SessionId
  sequence++
  await recordApplied(database, { hostId, sessionId, sequence, revision, trouble, troubled, warning: null })
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

  it("tells of each guest the first floating IP that leads to it, in the order of the guest's interfaces", async () => {
    const { network, near } = await twoGuests()
    const other = await rows.network(8, '10.8.0.0/24')
    const second = await rows.port(other, {
      ...{ address: '10.8.0.5', mac: 'fa:16:3e:00:08:05', hostId: hosts[0], serverId: servers[0] },
    })
    await database.execute('UPDATE ports SET device_index = 1 WHERE id = $1', [second])
    const outside = await rows.network(9, '192.0.2.0/24')
    const told = async () => {
      await raise()
      return Object.fromEntries((await planOf(hosts[0]))!.ports.map((port) => [port.portId, port.publicIpv4]))
    }
    expect(await told()).toEqual({ [near]: null, [second]: null })
    await rows.floatingIp(outside, '192.0.2.51', { portId: second, address: '10.8.0.5' })
    expect(await told()).toEqual({ [near]: '192.0.2.51', [second]: '192.0.2.51' })
    await rows.floatingIp(outside, '192.0.2.50', { portId: near, address: '10.0.0.5' })
    expect(await told()).toEqual({ [near]: '192.0.2.50', [second]: '192.0.2.50' })
    expect((await planOf(hosts[1]))!.ports).toMatchObject([{ networkId: network, publicIpv4: null }])
  })

  it('says how many passwords of a guest were cleared', async () => {
    await twoGuests()
    await database.execute('INSERT INTO guest_passwords (server_id, incarnation, clears) VALUES ($1, 1, 3)', [servers[0]])
    await raise()
    expect((await planOf(hosts[0]))!.ports).toMatchObject([{ passwordClears: 3 }])
    expect((await planOf(hosts[1]))!.ports).toMatchObject([{ passwordClears: 0 }])
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

  it('rise for a server and for a port on their own host alone', async () => {
    const { near } = await twoGuests()
    await raise()
    await due()
    for (const [subject, id, host] of [
      ['server', servers[1], hosts[1]],
      ['port', near, hosts[0]],
    ] as const) {
      await noteNetworkChange(database, subject, id)
      await raise()
      expect(await due()).toEqual([host])
    }
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
    const nothing = { trouble: null, troubled: [], warning: null }
    const foreign = servers[0] as string as SessionId
    await recordApplied(database, { hostId: hosts[0], sessionId: foreign, sequence: 1_000, revision: 1, ...nothing })
    expect(await statusOf(near)).toBe('DOWN')
    await apply(hosts[0], 1)
    expect(await statusOf(near)).toBe('ACTIVE')
  })

  it('are as the host said last in its session, in whatever order that comes', async () => {
    const { near } = await twoGuests()
    await raise()
    const [hostId] = hosts
    let sessionId = (await sessionOf(database, hostId)) as SessionId
    const say = (number: number | null, trouble: string | null, warning: string | null) =>
      recordApplied(database, { hostId, sessionId, sequence: number, revision: 1, trouble, troubled: [], warning })
    const known = async () => {
      const [row] = await database.query<{ trouble: string | null; warning: string | null }>(
        'SELECT trouble, warning FROM host_networks WHERE host_id = $1',
        [hostId],
      )
      return { ...row, status: await statusOf(near) }
    }
    await say(7, 'no device', null)
    await say(6, null, 'too narrow')
    expect(await known()).toEqual({ trouble: 'no device', warning: null, status: 'DOWN' })
    await say(9, null, null)
    await say(8, 'no device', 'too narrow')
    expect(await known()).toEqual({ trouble: null, warning: null, status: 'ACTIVE' })

    sessionId = newId<SessionId>(systemRandom)
    await database.execute('UPDATE hosts SET session_id = $2 WHERE id = $1', [hostId, sessionId])
    await say(1, null, 'too narrow')
    expect(await known()).toMatchObject({ warning: 'too narrow' })
    // An agent of before this was numbered.
    for (const warning of ['fills', null]) {
      await say(null, null, warning)
      expect(await known()).toMatchObject({ warning })
    }
  })

  it('conclude of other networks what is so where the trouble is about some, and say of those that they are down', async () => {
    const { near } = await twoGuests()
    const other = await rows.network(8)
    const beside = { hostId: hosts[0], serverId: servers[0] }
    const [well, gone] = [
      await rows.port(other, { address: '10.0.0.7', mac: 'fa:16:3e:00:00:07', ...beside }),
      await rows.port(other, { address: '10.0.0.8', mac: 'fa:16:3e:00:00:08', ...beside }),
    ]
    const [{ networkId }] = (await database.query<{ networkId: NetworkId }>(
      `UPDATE ports SET status = 'BUILD' WHERE id = $1 RETURNING network_id AS "networkId"`,
      [near],
    )) as [{ networkId: NetworkId }]
    await database.execute('UPDATE ports SET gone_at = clock_timestamp() WHERE id = $1', [gone])
    await raise()
    await apply(hosts[0], 1, 'a rule is refused', [networkId])
    expect([await statusOf(near), await statusOf(well), await statusOf(gone)]).toEqual(['DOWN', 'ACTIVE', undefined])
    await apply(hosts[0], 1)
    expect(await statusOf(near)).toBe('ACTIVE')
  })

  it('are told though one of their units breaks the contract', async () => {
    const { near, far } = await twoGuests()
    await database.execute(`UPDATE ports SET mac = 'of another time' WHERE id = $1`, [near])
    await raise()
    const plan = await planOf(hosts[0])
    expect(plan!.networks[0]!.neighbours).toHaveLength(1)
    expect(plan!.ports).toMatchObject([{ portId: near, mac: 'of another time' }])
    expect((await planOf(hosts[1]))!.ports).toMatchObject([{ portId: far }])
  })

  // What a host had said before, late: the cloud called it troubled for good, as nobody asked it again.
  it('are told again to a host whose word of trouble was overtaken by its word that all is well', async () => {
    await twoGuests()
    await raise()
    await due()
    await apply(hosts[0], 1)
    await apply(hosts[1], 1)
    await apply(hosts[0], 1, 'no device for the network')
    await database.execute(`UPDATE host_networks SET next_hint_at = next_hint_at - interval '1 minute'`)
    expect(await due()).toEqual([hosts[0]])
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

describe('an address at which the DHCP of a network answered', () => {
  let network: NetworkId

  beforeEach(async () => {
    ;({ network } = await twoGuests())
    await database.execute(`UPDATE subnets SET pools = '[{"start": "10.0.0.10", "end": "10.0.0.20"}]'`)
    await settle()
    await raise()
    for (const host of hosts) await apply(host, 1)
  })

  const settle = () =>
    database.transaction(async (tx) => {
      await settleServicePort(tx, network, systemRandom)
      await noteNetworkChange(tx, 'network', network)
    })
  const held = async () =>
    (await database.query(`SELECT FROM port_addresses WHERE network_id = $1 AND address >= '10.0.0.10'`, [network])).length

  async function withoutDhcp(): Promise<void> {
    await database.execute('UPDATE subnets SET dhcp = false')
    await settle()
    expect(await database.query('SELECT FROM ports WHERE device_owner = $1 AND gone_at IS NULL', [deviceOwners.dhcp])).toEqual([])
  }

  it('is free when every host that carries the network has let go of it', async () => {
    await withoutDhcp()
    await apply(hosts[0], 1)
    await raise()
    await apply(hosts[0], 2)
    expect(await held()).toBe(1)
    await apply(hosts[1], 2)
    expect(await held()).toBe(0)
  })

  it('is not waited for where a host is fenced', async () => {
    await withoutDhcp()
    await raise()
    await due()
    await apply(hosts[0], 2)
    expect(await networksNeedWork(database, silenceMs)).toBe(false)
    await database.execute('UPDATE hosts SET forced_down = true WHERE id = $1', [hosts[1]])
    expect(await networksNeedWork(database, silenceMs)).toBe(true)
    await settleFencedNetworks(database)
    expect(await held()).toBe(0)
  })

  it('stays held when its subnet is gone, and the others stay as they are', async () => {
    const other = await rows.subnet(network, '10.0.1.0/24')
    await settle()
    const [first] = await database.query<{ id: string }>('SELECT id FROM subnets WHERE id <> $1', [other])
    await database.execute(`UPDATE ports SET gone_at = clock_timestamp() WHERE device_owner = 'compute:nova'`)
    await database.transaction((tx) => deleteSubnet(tx, { id: first!.id, hasAutomaticAddresses: false }))
    await settle()
    const addresses = await database.query(
      `SELECT a.subnet_id AS subnet, p.gone_at IS NOT NULL AS "isGone" FROM port_addresses a JOIN ports p ON p.id = a.port_id
       WHERE p.device_owner = $1 ORDER BY a.address`,
      [deviceOwners.dhcp],
    )
    expect(addresses).toEqual([
      { subnet: null, isGone: true },
      { subnet: other, isGone: false },
    ])
  })

  it('is free at once where no host carries the network', async () => {
    await database.execute('UPDATE ports SET host_id = NULL')
    await withoutDhcp()
    expect(await held()).toBe(0)
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

  it('has the ports that it was given, and not whatever is said to be its own', async () => {
    const { network, routerId, port, home } = await routed()
    const other = { address: '10.0.0.2', mac: 'fa:16:3e:00:00:02', routerId, deviceOwner: 'network:router_other' }
    await rows.port(network, other)
    await raise()
    const { routers } = (await planOf(home.hostId!))!
    expect(routers.map(({ interfaces }) => interfaces.map(({ portId }) => portId))).toEqual([[port]])
    expect(await database.query(`SELECT host_id FROM ports WHERE device_owner = $1`, [other.deviceOwner])).toEqual([
      { host_id: null },
    ])
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

  it('is not left behind by a host that is forgotten: it must have let go, or be fenced', async () => {
    const { network, routerId, port, home } = await routed()
    const gone = await rows.port(network, { address: '10.0.0.77', mac: 'fa:16:3e:00:00:77', hostId: home.hostId! })
    expect(await forgetHost(database, home.hostId!)).toBe('has servers')
    await database.execute('DELETE FROM allocations')
    await database.execute('UPDATE servers SET host_id = NULL')
    await database.execute('UPDATE ports SET host_id = NULL WHERE server_id IS NOT NULL')
    await database.execute('UPDATE ports SET gone_at = clock_timestamp(), plan_revision = NULL WHERE id = $1', [gone])
    expect(await forgetHost(database, home.hostId!)).toBe('has networks')
    expect(await homeOf(routerId)).toEqual(home)
    await database.execute('UPDATE hosts SET forced_down = true WHERE id = $1', [home.hostId])
    expect(await networksNeedWork(database, silenceMs)).toBe(true)
    await settleFencedNetworks(database)
    expect(await forgetHost(database, home.hostId!)).toBe('forgotten')
    expect(await statusOf(gone)).toBeUndefined()
    await raise()
    expect(await homeOf(routerId)).toEqual({ hostId: otherThan(home.hostId), leftHostId: null, incarnation: 2 })
    expect(await statusOf(port)).toBe('BUILD')
  })

  it.each([
    ['is told that it has none', true],
    ['is told nothing where it says that it has none', false],
  ])('of a host that was deleted and comes again, with its networks: it %s', async (_, carriesNetworks) => {
    const report = { ...registrationOf('returned'), carriesNetworks }
    const sessionId = newId<SessionId>(systemRandom)
    await database.transaction(async (tx) => {
      await registerHost(tx, report, sessionId)
      await settleHost(tx, report, sessionId)
    })
    await raise()
    const told = { revision: 1, sessionId, networks: [], ports: [], routers: [] }
    const plan = await planOf(report.hostId)
    if (carriesNetworks) expect(plan).toMatchObject(told)
    else expect(plan).toBeUndefined()
  })

  it('of a host that is only silent stays where it is', async () => {
    const { routerId, home } = await routed()
    await database.execute('UPDATE hosts SET heard_ms = -1000000 WHERE id = $1', [home.hostId])
    await raise()
    expect(await homeOf(routerId)).toEqual(home)
  })
})
