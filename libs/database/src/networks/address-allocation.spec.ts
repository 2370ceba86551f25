import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startPostgres } from '@nubo/deploy'
import { newId, systemRandom, type NetworkId, type PortId, type SubnetId } from '@nubo/kernel'
import type { Database } from '../connection.js'
import { NetworkRows } from '../testing/network-rows.js'
import { TestDatabase } from '../testing/test-database.js'
import { allocateAddresses, type AddressRequest } from './address-allocation.js'

let records: TestDatabase
let database: Database
let rows: NetworkRows

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres(), { poolSize: 16 })
  ;({ database } = records)
  rows = new NetworkRows(database)
})

afterAll(() => records?.stop())

let network: NetworkId
beforeEach(async () => {
  await rows.clear()
  network = newId<NetworkId>(systemRandom)
  await database.execute(`INSERT INTO networks (id, project_id, mtu, vni) VALUES ($1, 'p', 1500, 1)`, [network])
})

interface Subnet {
  cidr: string
  pools?: [string, string][]
  mode?: string
  serviceTypes?: string[]
}

async function subnet({ cidr, pools = [], mode, serviceTypes = [] }: Subnet): Promise<SubnetId> {
  const id = newId<SubnetId>(systemRandom)
  await database.execute(
    `INSERT INTO subnets (id, network_id, project_id, ip_version, cidr, pools, address_mode, ra_mode, service_types, created_at)
     VALUES ($1, $2, 'p', family($3::inet), $3::inet, $4, $5, $5, $6, clock_timestamp())`,
    [id, network, cidr, JSON.stringify(pools.map(([start, end]) => ({ start, end }))), mode ?? null, serviceTypes],
  )
  return id
}

let macs = 0
async function newPort(options: Partial<AddressRequest> = {}): Promise<AddressRequest> {
  const portId = newId<PortId>(systemRandom)
  macs++
  const mac = `fa:16:3e:00:${Math.floor(macs / 256)
    .toString(16)
    .padStart(2, '0')}:${(macs % 256).toString(16).padStart(2, '0')}`
  await database.execute(`INSERT INTO ports (id, network_id, project_id, mac) VALUES ($1, $2, 'p', $3)`, [portId, network, mac])
  return { portId, networkId: network, deviceOwner: '', mac, ...options }
}

const allocate = async (...ports: AddressRequest[]) => {
  const given = await database.transaction((tx) => allocateAddresses(tx, ports, systemRandom))
  return ports.map(({ portId }) => (given.get(portId) ?? []).map(({ address }) => address))
}

const refusal = (type: string) => expect.objectContaining({ details: { type } })

describe('where nothing is asked for', () => {
  it('a port gets one IPv4 address, one of a stateful IPv6 subnet, and its own of every SLAAC subnet', async () => {
    await subnet({ cidr: '10.0.0.0/24', pools: [['10.0.0.2', '10.0.0.2']] })
    await subnet({ cidr: '10.0.1.0/24', pools: [['10.0.1.2', '10.0.1.2']] })
    await subnet({ cidr: '2001:db8::/64', pools: [['2001:db8::7', '2001:db8::7']], mode: 'dhcpv6-stateful' })
    await subnet({ cidr: '2001:db8:1::/64', mode: 'slaac' })
    await subnet({ cidr: '2001:db8:2::/64', mode: 'dhcpv6-stateless' })
    const port = { ...(await newPort()), mac: 'fa:16:3e:12:34:56' }
    expect(await allocate(port)).toEqual([
      ['10.0.0.2', '2001:db8::7', '2001:db8:1:0:f816:3eff:fe12:3456', '2001:db8:2:0:f816:3eff:fe12:3456'],
    ])
  })

  it('the next subnet gives where the first has none left, and then none does', async () => {
    await subnet({ cidr: '10.0.0.0/24', pools: [['10.0.0.2', '10.0.0.2']] })
    await subnet({ cidr: '10.0.1.0/24', pools: [['10.0.1.2', '10.0.1.2']] })
    expect((await allocate(await newPort(), await newPort())).flat().toSorted()).toEqual(['10.0.0.2', '10.0.1.2'])
    await expect(allocate(await newPort())).rejects.toEqual(refusal('IpAddressGenerationFailure'))
  })

  it('a port of a network without subnets gets none', async () => {
    expect(await allocate(await newPort())).toEqual([[]])
  })

  it('subnets for one kind of device give to that kind alone', async () => {
    await subnet({ cidr: '10.0.0.0/24', pools: [['10.0.0.2', '10.0.0.9']], serviceTypes: ['network:floatingip'] })
    await expect(allocate(await newPort())).rejects.toEqual(refusal('IpAddressGenerationFailureNoMatchingSubnet'))
    expect((await allocate(await newPort({ deviceOwner: 'network:floatingip' }))).flat()).toHaveLength(1)
  })
})

describe('what is asked for', () => {
  it('is given: this address, any of that subnet, this one of that subnet', async () => {
    const first = await subnet({ cidr: '10.0.0.0/24', pools: [['10.0.0.10', '10.0.0.10']] })
    const second = await subnet({ cidr: '10.0.1.0/24' })
    const wanted = [{ address: '10.0.1.99' }, { subnetId: first }, { subnetId: second, address: '10.0.1.98' }]
    expect(await allocate(await newPort({ wanted }))).toEqual([['10.0.1.99', '10.0.0.10', '10.0.1.98']])
  })

  it('is nothing where nothing is asked for on purpose, but for SLAAC', async () => {
    await subnet({ cidr: '10.0.0.0/24', pools: [['10.0.0.10', '10.0.0.10']] })
    expect(await allocate(await newPort({ wanted: [] }))).toEqual([[]])
    await subnet({ cidr: '2001:db8:1::/64', mode: 'slaac' })
    expect((await allocate(await newPort({ wanted: [] }))).flat()).toHaveLength(1)
  })

  it('is refused as Neutron refuses it', async () => {
    const ours = await subnet({ cidr: '10.0.0.0/24', pools: [['10.0.0.2', '10.0.0.9']] })
    const slaac = await subnet({ cidr: '2001:db8:1::/64', mode: 'slaac' })
    const refused = async (address: string | undefined, subnetId?: string) =>
      await allocate(await newPort({ wanted: [{ address, subnetId }] })).then(
        () => undefined,
        (error: { details: { type: string } }) => error.details.type,
      )
    await allocate(await newPort({ wanted: [{ address: '10.0.0.5' }] }))
    expect(await refused('10.0.0.5')).toBe('IpAddressAlreadyAllocated')
    expect(await refused('10.9.0.5')).toBe('InvalidIpForNetwork')
    expect(await refused('10.9.0.5', ours)).toBe('InvalidIpForSubnet')
    expect(await refused('10.0.0.255', ours)).toBe('InvalidIpForSubnet')
    expect(await refused('2001:db8:1::5', slaac)).toBe('AllocationOnAutoAddressSubnet')
    expect(await refused(undefined, newId(systemRandom))).toBe('InvalidInput')
    expect(await refused(undefined)).toBe('InvalidInput')
    expect(await refused('10.0.0.300')).toBe('InvalidInput')
  })

  it('is not given twice to ports of one request', async () => {
    await subnet({ cidr: '10.0.0.0/24' })
    const wanted = [{ address: '10.0.0.5' }]
    await expect(allocate(await newPort({ wanted }), await newPort({ wanted }))).rejects.toEqual(
      refusal('IpAddressAlreadyAllocated'),
    )
    expect(await allocate(await newPort({ wanted }))).toEqual([['10.0.0.5']])
  })
})

describe('pools', () => {
  it('give out every address once and no other, however they lie', async () => {
    await subnet({
      cidr: '10.0.0.0/16',
      pools: [
        ['10.0.0.250', '10.0.1.30'],
        ['10.0.7.7', '10.0.7.7'],
        ['10.0.9.0', '10.0.9.2'],
      ],
    })
    const size = 6 + 31 + 1 + 3
    const ports = await Promise.all(Array.from({ length: size }, () => newPort()))
    const given = (await allocate(...ports)).flat()
    expect(new Set(given).size).toBe(size)
    expect(given.every((address) => /^10\.0\.(0\.25[0-5]|1\.([0-9]|[12][0-9]|30)|7\.7|9\.[012])$/.test(address))).toBe(true)
    await expect(allocate(await newPort())).rejects.toEqual(refusal('IpAddressGenerationFailure'))
  })

  it('find the one address that is left among thousands', async () => {
    const id = await subnet({ cidr: '10.0.0.0/16', pools: [['10.0.0.1', '10.0.255.254']] })
    const { portId } = await newPort()
    await database.execute(
      `INSERT INTO port_addresses (network_id, address, subnet_id, port_id)
       SELECT $1, inet '10.0.0.0' + n, $2, $3 FROM generate_series(1, 65534) n WHERE n <> 54321`,
      [network, id, portId],
    )
    expect((await allocate(await newPort())).flat()).toEqual(['10.0.212.49'])
  })

  it.each([
    { cidr: '10.0.0.0/8', pool: ['10.0.0.1', '10.255.255.254'] as [string, string], mode: undefined },
    {
      cidr: '2001:db8::/64',
      pool: ['2001:db8::2', '2001:db8::ffff:ffff:ffff:ffff'] as [string, string],
      mode: 'dhcpv6-stateful',
    },
  ])('of $cidr give different addresses in one look', async ({ cidr, pool, mode }) => {
    await subnet({ cidr, pools: [pool], ...(mode && { mode }) })
    const given = (await allocate(...(await Promise.all(Array.from({ length: 20 }, () => newPort()))))).flat()
    expect(new Set(given).size).toBe(20)
  })

  it('without addresses give none', async () => {
    await subnet({ cidr: '10.0.0.0/24', pools: [] })
    await expect(allocate(await newPort())).rejects.toEqual(refusal('IpAddressGenerationFailure'))
  })
})

describe('however many requests race', () => {
  const outcomes = async (requests: Promise<string[][]>[]) => {
    const settled = await Promise.allSettled(requests)
    const given = settled.flatMap((each) => (each.status === 'fulfilled' ? each.value.flat() : []))
    const refused = settled.flatMap((each) =>
      each.status === 'rejected' ? [(each.reason as { details: { type?: string } }).details.type] : [],
    )
    return { given, refused }
  }

  it('a pool of 50 addresses gives exactly 50, and the others hear that there are no more', async () => {
    await subnet({ cidr: '10.0.0.0/24', pools: [['10.0.0.10', '10.0.0.59']] })
    const ports = await Promise.all(Array.from({ length: 100 }, () => newPort()))
    const { given, refused } = await outcomes(ports.map((port) => allocate(port)))
    expect(new Set(given).size).toBe(50)
    expect(given).toHaveLength(50)
    expect(refused).toEqual(Array.from({ length: 50 }, () => 'IpAddressGenerationFailure'))
  })

  it('an address that all ask for goes to one', async () => {
    await subnet({ cidr: '10.0.0.0/24' })
    const ports = await Promise.all(Array.from({ length: 30 }, () => newPort({ wanted: [{ address: '10.0.0.7' }] })))
    const { given, refused } = await outcomes(ports.map((port) => allocate(port)))
    expect(given).toEqual(['10.0.0.7'])
    expect(refused).toEqual(Array.from({ length: 29 }, () => 'IpAddressAlreadyAllocated'))
  })

  it('requests for several ports each get all of theirs while there are enough', async () => {
    await subnet({ cidr: '10.0.0.0/24', pools: [['10.0.0.2', '10.0.0.254']] })
    const batches = await Promise.all(Array.from({ length: 10 }, () => Promise.all(Array.from({ length: 25 }, () => newPort()))))
    const { given, refused } = await outcomes(batches.map((batch) => allocate(...batch)))
    expect(refused).toEqual([])
    expect(new Set(given).size).toBe(250)
  })
})
