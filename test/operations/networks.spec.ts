import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import type { HostId, NetworkId, PortId } from '@nubo/kernel'
import { NetworkRows } from '@nubo/database/testing'
import { ScriptedCloud, until } from './scripted-cloud.js'
import type { ScriptedHost } from './scripted-host.js'

let cloud: ScriptedCloud
let rows: NetworkRows
let one: ScriptedHost
let two: ScriptedHost

beforeAll(async () => {
  cloud = await ScriptedCloud.start()
  rows = new NetworkRows(cloud.database)
}, 120_000)

afterAll(async () => {
  await cloud[Symbol.asyncDispose]()
})

beforeEach(async () => {
  await rows.clear()
  await cloud.clear()
  one = await cloud.addHost({ name: 'one' })
  two = await cloud.addHost({ name: 'two' })
})

let addresses = 0

async function portOn(network: NetworkId, hostId: HostId): Promise<PortId> {
  const number = (++addresses % 200) + 10
  const mac = `fa:16:3e:00:00:${number.toString(16).padStart(2, '0')}`
  return await rows.port(network, { address: `10.0.0.${number}`, mac, hostId, deviceOwner: 'network:test' })
}

const statusOf = async (portId: PortId) =>
  (await cloud.database.query<{ status: string }>('SELECT status FROM ports WHERE id = $1', [portId]))[0]?.status

const becomes = (portId: PortId, status: string | undefined) => until(async () => (await statusOf(portId)) === status)

async function forget(portId: PortId, network: NetworkId): Promise<void> {
  await cloud.database.transaction(async (tx) => {
    await tx.execute('UPDATE ports SET gone_at = clock_timestamp(), plan_revision = NULL WHERE id = $1', [portId])
    await tx.execute(`INSERT INTO network_changes (subject, subject_id) VALUES ('network', $1)`, [network])
  })
}

it('a host is told at once of what concerns it, and its ports are ACTIVE when it carries them', async () => {
  const network = await rows.network(7)
  const near = await portOn(network, one.id)
  const far = await portOn(network, two.id)
  await cloud.hintNetworks()
  await becomes(near, 'ACTIVE')
  await becomes(far, 'ACTIVE')
  expect(one.plans.at(-1)).toMatchObject({
    networks: [{ networkId: network, neighbours: [{ host: '127.0.0.1' }] }],
  })
}, 120_000)

it('a hint that is lost delays it, and no more', async () => {
  const network = await rows.network(7)
  const port = await portOn(network, one.id)
  await becomes(port, 'ACTIVE')
  expect(one.plans.at(-1)!.networks).toHaveLength(1)
}, 120_000)

it('a host that was away is told what its networks are to be when it comes back', async () => {
  const network = await rows.network(7)
  const first = await portOn(network, one.id)
  await becomes(first, 'ACTIVE')
  await one.stop()
  await forget(first, network)
  const second = await portOn(network, one.id)
  await cloud.hintNetworks()
  expect(await statusOf(first)).toBeDefined()
  await one.start()
  await becomes(first, undefined)
  await becomes(second, 'ACTIVE')
}, 120_000)

/** As if the time had passed after which hosts are told again of what they could not do. */
const laterIsNow = () =>
  cloud.database.execute('UPDATE host_networks SET next_hint_at = clock_timestamp() WHERE next_hint_at IS NOT NULL')

it('what a host cannot do it is told again until it can', async () => {
  one.networkTrouble = 'there is no dnsmasq'
  const network = await rows.network(7)
  const port = await portOn(network, one.id)
  await cloud.hintNetworks()
  await until(async () => (await troubleOf(one.id)) === one.networkTrouble)
  expect(await statusOf(port)).toBe('DOWN')
  one.networkTrouble = null
  await laterIsNow()
  await becomes(port, 'ACTIVE')
  expect(await troubleOf(one.id)).toBeNull()
}, 120_000)

it('an address is free again when its host has let go of it', async () => {
  const network = await rows.network(7)
  const port = await portOn(network, one.id)
  await becomes(port, 'ACTIVE')
  await forget(port, network)
  await cloud.hintNetworks()
  await becomes(port, undefined)
  expect(one.plans.at(-1)!.networks).toEqual([])
}, 120_000)

it('a router of a fenced host lives on another one, which is told of it', async () => {
  const network = await rows.network(7)
  const routerId = await rows.router()
  const port = await rows.port(network, { address: '10.0.0.1', mac: 'fa:16:3e:00:00:01', routerId })
  await becomes(port, 'ACTIVE')
  const carries = (host: ScriptedHost) => host.plans.at(-1)?.routers.some((router) => router.routerId === routerId)
  const [home, other] = carries(one) ? [one, two] : [two, one]
  await cloud.database.execute('UPDATE hosts SET forced_down = true, fencing_epoch = fencing_epoch + 1 WHERE id = $1', [home.id])
  await until(async () => carries(other))
  expect(other.plans.at(-1)!.routers).toMatchObject([{ routerId, incarnation: 2 }])
}, 120_000)

async function troubleOf(hostId: HostId): Promise<string | null | undefined> {
  const [row] = await cloud.database.query<{ trouble: string | null }>('SELECT trouble FROM host_networks WHERE host_id = $1', [
    hostId,
  ])
  return row?.trouble
}
