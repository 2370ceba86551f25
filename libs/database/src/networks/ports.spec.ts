import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startPostgres } from '@nubo/deploy'
import { newId, seededRandom, systemRandom, type HostId, type NetworkId, type PortId } from '@nubo/kernel'
import type { Database } from '../connection.js'
import { HealthyCloud } from '../testing/healthy-cloud.js'
import { NetworkRows } from '../testing/network-rows.js'
import { TestDatabase } from '../testing/test-database.js'
import { createPorts, type NewPort } from './create-ports.js'
import { bindPorts, deletePorts, unbindPorts } from './release-ports.js'

let records: TestDatabase
let database: Database
let rows: NetworkRows
let cloud: HealthyCloud
let network: NetworkId
let host: HostId

const project = 'a-project'

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres(), { poolSize: 16 })
  ;({ database } = records)
  rows = new NetworkRows(database)
  cloud = new HealthyCloud(database)
})

afterAll(() => records?.stop())

beforeEach(async () => {
  await rows.clear()
  await cloud.clear()
  await database.execute('DELETE FROM project_quotas')
  host = await cloud.addHost('host-1')
  network = await rows.network(1)
  await database.execute(`UPDATE subnets SET pools = '[{"start": "10.0.0.2", "end": "10.0.0.254"}]'`)
})

const wanted = (options: Partial<NewPort> = {}): NewPort => ({
  id: newId<PortId>(systemRandom),
  networkId: network,
  projectId: project,
  ...options,
})
const create = (...ports: NewPort[]) => database.transaction((tx) => createPorts(tx, ports, systemRandom))
const remove = (...ids: string[]) => database.transaction((tx) => deletePorts(tx, ids))
const refusal = (type: string) => expect.objectContaining({ details: { type } })

const used = async (column: string): Promise<number> => {
  const [row] = await database.query<{ used: number }>(`SELECT ${column} AS used FROM project_quotas WHERE project_id = $1`, [
    project,
  ])
  return row?.used ?? 0
}
const limit = (resource: string, most: number) =>
  database.execute(`INSERT INTO project_quotas (project_id, limits) VALUES ($1, $2)`, [project, { [resource]: most }])
const count = async (table: string) => (await database.query<{ count: number }>(`SELECT count(*) FROM ${table}`))[0]!.count
const takeChanges = async () =>
  (await database.query<{ subject: string; id: string }>(`DELETE FROM network_changes RETURNING subject, subject_id AS id`)).map(
    ({ subject, id }) => `${subject} ${id}`,
  )

describe('a port', () => {
  it('is made with a MAC, an address, the default group, and its use of the quota', async () => {
    const [port] = await create(wanted())
    expect(port).toMatchObject({
      mac: expect.stringMatching(/^fa:16:3e(:[0-9a-f]{2}){3}$/),
      addresses: [{ address: expect.stringMatching(/^10\.0\.0\./) }],
      groups: [expect.any(String)],
    })
    expect([await used('used_ports'), await used('used_security_groups'), await used('used_security_group_rules')]).toEqual([
      1, 1, 4,
    ])
    expect(await count('port_security_groups')).toBe(1)
  })

  it('without port security, or of the network itself, is in no group', async () => {
    const ports = await create(
      wanted({ portSecurityEnabled: false }),
      wanted({ deviceOwner: 'network:dhcp' }),
      wanted({ groups: [] }),
    )
    expect(ports.map(({ groups }) => groups)).toEqual([[], [], []])
    expect(await count('security_groups')).toBe(0)
  })

  it('is refused where its network, its group or its MAC is not to be had, and nothing is left of it', async () => {
    await create(wanted({ mac: 'fa:16:3e:00:00:01', groups: [] }))
    const refused: [Partial<NewPort>, string][] = [
      [{ networkId: newId(systemRandom) }, 'NetworkNotFound'],
      [{ groups: [newId(systemRandom)] }, 'SecurityGroupNotFound'],
      [{ mac: 'fa:16:3e:00:00:01' }, 'MacAddressInUse'],
    ]
    for (const [options, type] of refused) await expect(create(wanted(options))).rejects.toEqual(refusal(type))
    expect([await count('ports'), await count('security_groups'), await used('used_ports')]).toEqual([1, 0, 1])
  })

  it('gets another MAC where the one that chance gave is taken', async () => {
    const once = () => database.transaction((tx) => createPorts(tx, [wanted({ groups: [] })], seededRandom(1)))
    const first = await once()
    const again = await once()
    expect(again[0]!.mac).not.toBe(first[0]!.mac)
  })
})

describe('however many requests race', () => {
  it('a project gets no more ports than its quota', async () => {
    await limit('port', 7)
    const settled = await Promise.allSettled(Array.from({ length: 20 }, () => create(wanted())))
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(7)
    expect([await count('ports'), await count('port_addresses'), await used('used_ports')]).toEqual([7, 7, 7])
  })

  it('a project gets one default group', async () => {
    await Promise.all(Array.from({ length: 20 }, () => create(wanted())))
    expect([await count('security_groups'), await count('security_group_rules')]).toEqual([1, 4])
    expect([await used('used_security_groups'), await used('used_security_group_rules')]).toEqual([1, 4])
  })

  it('a port that several delete is deleted once, and its quota given back once', async () => {
    const ports = await create(wanted(), wanted(), wanted())
    const ids = ports.map(({ id }) => id)
    const deleted = await Promise.all(Array.from({ length: 10 }, (_, n) => remove(...(n % 2 ? ids : ids.toReversed()))))
    expect(deleted.flat().toSorted()).toEqual(ids.toSorted())
    expect([await count('ports'), await used('used_ports')]).toEqual([0, 0])
  })

  it('creates and deletes of one network go on side by side', async () => {
    const rounds = Array.from({ length: 12 }, async () => {
      for (let round = 0; round < 5; round++) {
        const ports = await create(wanted(), wanted(), wanted({ groups: [] }))
        await remove(...ports.map(({ id }) => id))
      }
    })
    await Promise.all(rounds)
    expect([await count('ports'), await count('port_addresses'), await used('used_ports')]).toEqual([0, 0, 0])
  })
})

describe('a port that is bound to a host', () => {
  it('is told of, and so is who needs its groups', async () => {
    const [port] = await create(wanted())
    expect(await takeChanges()).toEqual([])
    await database.transaction((tx) => bindPorts(tx, [port!.id], host))
    const changes = [`network ${network}`, `group ${port!.groups[0]}`, `host ${host}`]
    expect((await takeChanges()).toSorted()).toEqual(changes.toSorted())
    await database.transaction((tx) => bindPorts(tx, [port!.id], host))
    expect(await takeChanges()).toEqual([])
    await database.transaction((tx) => unbindPorts(tx, [port!.id]))
    expect((await takeChanges()).toSorted()).toEqual(changes.toSorted())
  })

  it('keeps its MAC and its addresses when it is deleted, and gives its quota back', async () => {
    const [port] = await create(wanted())
    await database.transaction((tx) => bindPorts(tx, [port!.id], host))
    await database.execute('UPDATE ports SET plan_revision = 3')
    expect(await remove(port!.id)).toEqual([port!.id])
    expect(await remove(port!.id)).toEqual([])
    expect(await used('used_ports')).toBe(0)
    const left = await database.query('SELECT host_id AS host, plan_revision AS revision, gone_at IS NOT NULL AS gone FROM ports')
    expect(left).toEqual([{ host, revision: null, gone: true }])
    expect([await count('port_addresses'), await count('port_security_groups')]).toEqual([1, 0])
    const { address } = port!.addresses[0]!
    await expect(create(wanted({ wanted: [{ address }] }))).rejects.toEqual(refusal('IpAddressAlreadyAllocated'))
    await expect(create(wanted({ mac: port!.mac }))).rejects.toEqual(refusal('MacAddressInUse'))
  })

  it('takes its floating IP off when it is deleted, and the router hears of it', async () => {
    const [port, outside] = await create(wanted(), wanted())
    const router = await rows.router()
    await database.execute(
      `INSERT INTO floating_ips (id, project_id, port_id, address, network_id, fixed_port_id, fixed_address, router_id)
       VALUES (gen_random_uuid(), $1, $2, '192.0.2.9', $3, $4, '10.0.0.9', $5)`,
      [project, outside!.id, network, port!.id, router],
    )
    await database.transaction((tx) => bindPorts(tx, [port!.id], host))
    await takeChanges()
    await remove(port!.id)
    expect(
      await database.query('SELECT fixed_port_id AS port, host(fixed_address) AS address, router_id AS router FROM floating_ips'),
    ).toEqual([{ port: null, address: null, router: null }])
    expect((await takeChanges()).toSorted()).toEqual(
      [`network ${network}`, `group ${port!.groups[0]}`, `host ${host}`, `router ${router}`].toSorted(),
    )
  })
})
