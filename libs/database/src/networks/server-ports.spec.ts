import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startPostgres, waitFor } from '@nubo/deploy'
import { newId, systemRandom, type HostId, type Id, type NetworkId, type PortId, type ServerId } from '@nubo/kernel'
import type { Database, Transaction } from '../connection.js'
import { releaseRoom } from '../hosts/room.js'
import { HealthyCloud, projectId } from '../testing/healthy-cloud.js'
import { NetworkRows } from '../testing/network-rows.js'
import { TestDatabase } from '../testing/test-database.js'
import { giveUpServerPorts, releaseServerPort, releaseServerPorts } from './server-ports.js'

let records: TestDatabase
let database: Database
let cloud: HealthyCloud
let rows: NetworkRows
let hosts: [HostId, HostId]
let server: ServerId
let network: NetworkId
let made: PortId
let own: PortId
let group: string

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
  cloud = new HealthyCloud(database)
  rows = new NetworkRows(database)
})

afterAll(() => records?.stop())

/** A server on the first host, with an interface that was made for it and one of its tenant's own. */
beforeEach(async () => {
  await rows.clear()
  await cloud.clear()
  hosts = [await cloud.addHost('host-1'), await cloud.addHost('host-2')]
  server = await cloud.addServer(hosts[0])
  network = await rows.network(7)
  group = await rows.group()
  const bound = { hostId: hosts[0], serverId: server, groups: [group] }
  made = await rows.port(network, { address: '10.0.0.5', mac: 'fa:16:3e:00:00:05', ...bound })
  own = await rows.port(network, { address: '10.0.0.6', mac: 'fa:16:3e:00:00:06', ...bound })
  await database.execute(`UPDATE ports SET plan_revision = 1, status = 'ACTIVE', made_for_server = id = $1`, [made])
  await database.execute('UPDATE project_quotas SET used_ports = 2 WHERE project_id = $1', [projectId])
  await forgetChanges()
})

const forgetChanges = () => database.execute('DELETE FROM network_changes')

async function port(id: PortId) {
  const [row] = await database.query(
    `SELECT server_id AS "serverId", device_id AS "deviceId", host_id AS "hostId", status, plan_revision IS NULL AS "isUnplanned",
       gone_at IS NOT NULL AS "isGone", ARRAY(SELECT host(address) FROM port_addresses WHERE port_id = p.id) AS addresses
     FROM ports p WHERE id = $1`,
    [id],
  )
  return row
}

async function changes(): Promise<string[]> {
  const found = await database.query<{ change: string }>(
    `SELECT DISTINCT subject || ' ' || subject_id AS change FROM network_changes ORDER BY 1`,
  )
  return found.map(({ change }) => change)
}

async function usedPorts(): Promise<number> {
  const [row] = await database.query<{ ports: number }>('SELECT used_ports AS ports FROM project_quotas')
  return row!.ports
}

const atOnce = (work: Parameters<Database['transaction']>[0]) => database.transaction(work)
const free = { serverId: null, deviceId: '', hostId: null, status: 'DOWN', isUnplanned: true, isGone: false }

describe("a server's ports", () => {
  it('go with it from host to host, and each host is told', async () => {
    await cloud.moveTo(server, hosts[1])
    for (const [id, address] of [
      [made, '10.0.0.5'],
      [own, '10.0.0.6'],
    ] as const)
      expect(await port(id)).toMatchObject({ hostId: hosts[1], status: 'BUILD', isUnplanned: true, addresses: [address] })
    expect(await changes()).toEqual([`group ${group}`, `host ${hosts[0]}`, `network ${network}`])
  })

  it('stay where they are when room of an incarnation that is over is freed', async () => {
    await cloud.moveTo(server, hosts[1])
    await forgetChanges()
    await atOnce((tx) => releaseRoom(tx, server, 1))
    expect(await port(made)).toMatchObject({ hostId: hosts[1], status: 'BUILD' })
    expect(await changes()).toEqual([])
  })

  it('are freed once when nothing of it is left: made for it deleted, the tenant its own kept', async () => {
    await atOnce((tx) => releaseServerPorts(tx, server))
    expect(await port(made)).toBeUndefined()
    expect(await port(own)).toMatchObject({ ...free, addresses: ['10.0.0.6'] })
    expect(await usedPorts()).toBe(1)
    expect(await changes()).toEqual([`group ${group}`, `host ${hosts[0]}`, `network ${network}`])
    await forgetChanges()
    await atOnce((tx) => releaseServerPorts(tx, server))
    expect(await usedPorts()).toBe(1)
    expect(await changes()).toEqual([])
  })

  it('are given out no more while something of it may lie on its host, and are freed once that is clear', async () => {
    await atOnce((tx) => giveUpServerPorts(tx, server))
    expect(await port(made)).toMatchObject({ isGone: true, isUnplanned: true, hostId: hosts[0], addresses: ['10.0.0.5'] })
    expect(await port(own)).toMatchObject({ serverId: server, hostId: hosts[0], isGone: false })
    expect(await usedPorts()).toBe(1)
    await atOnce((tx) => giveUpServerPorts(tx, server))
    expect(await usedPorts()).toBe(1)
    await atOnce((tx) => releaseServerPorts(tx, server))
    expect(await port(made)).toBeUndefined()
    expect(await port(own)).toMatchObject(free)
    expect(await usedPorts()).toBe(1)
  })

  it('are freed one by one as they are taken off it', async () => {
    await atOnce((tx) => releaseServerPort(tx, server, own))
    expect(await port(own)).toMatchObject(free)
    expect(await port(made)).toMatchObject({ serverId: server, hostId: hosts[0], status: 'ACTIVE' })
    await atOnce((tx) => releaseServerPort(tx, server, made))
    expect(await port(made)).toBeUndefined()
    expect(await usedPorts()).toBe(1)
  })

  it("are nobody else's: a port that only says that it is the server's is left alone", async () => {
    const other = await rows.port(network, { address: '10.0.0.7', mac: 'fa:16:3e:00:00:07', deviceOwner: 'compute:nova' })
    await database.execute('UPDATE ports SET device_id = $2 WHERE id = $1', [other, server])
    await cloud.moveTo(server, hosts[1])
    await atOnce((tx) => releaseServerPorts(tx, server))
    expect(await port(other)).toMatchObject({ deviceId: server, hostId: null })
  })

  it('lead no floating IP any more once they are gone, and its router is told', async () => {
    const { floatingId, routerId } = await floatingIp()
    await atOnce((tx) => leadTo(tx, floatingId, routerId))
    await forgetChanges()
    await atOnce((tx) => releaseServerPorts(tx, server))
    expect(await whereLeads(floatingId)).toEqual({ portId: null, address: null, routerId: null })
    expect(await changes()).toContain(`router ${routerId}`)
  })

  it('lead none either that was given to one while they waited for it', async () => {
    const { floatingId, routerId } = await floatingIp()
    let released: Promise<unknown> | undefined
    await atOnce(async (tx) => {
      await leadTo(tx, floatingId, routerId)
      released = atOnce((other) => releaseServerPorts(other, server))
      await waitFor('the release waits', isSomebodyWaiting, { timeoutMs: 30_000, everyMs: 10 })
    })
    await released
    expect(await whereLeads(floatingId)).toEqual({ portId: null, address: null, routerId: null })
    expect(await changes()).toContain(`router ${routerId}`)
  })
})

/** One that leads nowhere, and a router by which it may. */
async function floatingIp() {
  const outside = await rows.port(network, { address: '10.0.0.9', mac: 'fa:16:3e:00:00:09', deviceOwner: 'network:floatingip' })
  const floatingId = newId<Id<'floating-ip'>>(systemRandom)
  await database.execute(
    `INSERT INTO floating_ips (id, project_id, port_id, address, network_id) VALUES ($1, $2, $3, '10.0.0.9', $4)`,
    [floatingId, projectId, outside, network],
  )
  return { floatingId, routerId: await rows.router() }
}

const leadTo = (tx: Transaction, floatingId: string, routerId: string) =>
  tx.execute(`UPDATE floating_ips SET fixed_port_id = $2, fixed_address = '10.0.0.5', router_id = $3 WHERE id = $1`, [
    ...[floatingId, made, routerId],
  ])

async function whereLeads(floatingId: string) {
  const [floating] = await database.query(
    'SELECT fixed_port_id AS "portId", fixed_address AS address, router_id AS "routerId" FROM floating_ips WHERE id = $1',
    [floatingId],
  )
  return floating
}

async function isSomebodyWaiting(): Promise<boolean> {
  const [row] = await database.query<{ waits: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock') AS waits`,
  )
  return row!.waits
}
