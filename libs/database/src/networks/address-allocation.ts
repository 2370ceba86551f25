import {
  networkError,
  parsePool,
  planAddresses,
  poolSize,
  runsFrom,
  type AddressSubnet,
  type Pool,
  type PortToAddress,
} from '@nubo/domain'
import { assert, type Random } from '@nubo/kernel'
import type { Transaction } from '../connection.js'

/** A port that is to get addresses. Its row is there already. */
export interface AddressRequest extends PortToAddress {
  portId: string
}

export interface GivenAddress {
  subnetId: string
  address: string
}

/** Of one port. */
export type AddressesOf = ReadonlyMap<string, readonly GivenAddress[]>

/** One address that is still to be given out. */
interface Want {
  portId: string
  networkId: string
  /** Among the addresses of its port. */
  position: number
  /** The first that has one gives it. */
  subnetIds: readonly string[]
  address?: string
}

interface GivenRow extends GivenAddress {
  portId: string
  position: number
}

/**
 * Gives ports their addresses: those that are asked for, or else what Neutron gives. An address is given out by the row that
 * its table's key lets in once, so however many requests race it is given once; the choice among those that are free is made
 * where they are, without reading the others, and at random, so that requests which race seldom meet.
 *
 * Throws, and the transaction is to be given up: IpAddressAlreadyAllocated, IpAddressGenerationFailure, and what
 * `planAddresses` refuses.
 */
export async function allocateAddresses(tx: Transaction, ports: readonly AddressRequest[], random: Random): Promise<AddressesOf> {
  const subnets = await holdSubnets(tx, [...new Set(ports.map((port) => port.networkId))])
  const wants = ports.flatMap((port) => wantsOf(port, subnets))
  const named = wants.filter((want) => want.address !== undefined)
  const given = [
    ...(await giveNamed(tx, named)),
    ...(await giveAny(
      tx,
      wants.filter((want) => !named.includes(want)),
      subnets,
      random,
    )),
  ]
  return inOrder(given)
}

interface SubnetRow extends AddressSubnet {
  networkId: string
}

const hold = `
  SELECT id, network_id AS "networkId", cidr::text AS cidr, pools, address_mode AS "addressMode", ra_mode AS "raMode",
    service_types AS "serviceTypes"
  FROM subnets WHERE network_id = ANY($1::uuid[]) ORDER BY created_at, id FOR KEY SHARE`

/** The networks' subnets, oldest first, which are not deleted until the transaction ends. */
async function holdSubnets(tx: Transaction, networkIds: readonly string[]): Promise<SubnetRow[]> {
  return await tx.query<SubnetRow>(hold, [networkIds])
}

function wantsOf(port: AddressRequest, subnets: readonly SubnetRow[]): Want[] {
  const own = subnets.filter(({ networkId }) => networkId === port.networkId)
  const { portId, networkId } = port
  return planAddresses(port, own).map((planned, position) => ({ portId, networkId, position, ...planned }))
}

const insertNamed = `
  INSERT INTO port_addresses (network_id, address, subnet_id, port_id, position)
  SELECT * FROM unnest($1::uuid[], $2::inet[], $3::uuid[], $4::uuid[], $5::int[]) AS wanted(network_id, address, subnet_id, port_id, position)
  ORDER BY network_id, address
  ON CONFLICT DO NOTHING
  RETURNING port_id AS "portId", position, subnet_id AS "subnetId", host(address) AS address`

async function giveNamed(tx: Transaction, wants: readonly Want[]): Promise<GivenRow[]> {
  if (wants.length === 0) return []
  const given = await tx.query<GivenRow>(insertNamed, [
    wants.map(({ networkId }) => networkId),
    wants.map(({ address }) => address),
    wants.map(({ subnetIds }) => subnetIds[0]),
    wants.map(({ portId }) => portId),
    wants.map(({ position }) => position),
  ])
  const [refused] = remaining(wants, given)
  if (!refused) return given
  throw networkError(
    'Conflict',
    'IpAddressAlreadyAllocated',
    `IP address ${refused.address} already allocated in subnet ${refused.subnetIds[0]}`,
  )
}

/** One of any of their subnets for each: all that may have the same are served together. */
async function giveAny(
  tx: Transaction,
  wants: readonly Want[],
  subnets: readonly SubnetRow[],
  random: Random,
): Promise<GivenRow[]> {
  const given: GivenRow[] = []
  for (const alike of Map.groupBy(wants, ({ subnetIds }) => subnetIds.join()).values()) {
    let open: readonly Want[] = alike
    for (const subnetId of alike[0]!.subnetIds) {
      if (open.length === 0) break
      const subnet = subnets.find(({ id }) => id === subnetId)
      assert(subnet, 'addresses are planned of subnets that are held')
      const fromHere = await giveFromPools(tx, subnet, open, random)
      given.push(...fromHere)
      open = remaining(open, fromHere)
    }
    if (open.length > 0)
      throw networkError(
        'Conflict',
        'IpAddressGenerationFailure',
        `No more IP addresses available on network ${open[0]!.networkId}.`,
      )
  }
  return given
}

/** How many addresses are looked at at first, beyond twice as many as are wanted: few are taken in most pools. */
const firstLook = 16
/** Where many are taken, more are looked at with every look. */
const growth = 8
const longestLook = 16_384

/**
 * Addresses of the subnet's pools for as many of `wants` as there are free ones. Goes round the pools once from a place that
 * chance chooses; where others were faster, the same stretch is looked at again.
 */
async function giveFromPools(tx: Transaction, subnet: SubnetRow, wants: readonly Want[], random: Random): Promise<GivenRow[]> {
  const pools = subnet.pools.map(parsePool).filter((pool) => pool !== undefined)
  const size = poolSize(pools)
  const start = placeIn(pools, random)
  const given: GivenRow[] = []
  let open = wants
  let length = 2 * wants.length + firstLook
  for (let passed = 0n; passed < size && open.length > 0;) {
    const count = size - passed < BigInt(length) ? Number(size - passed) : length
    const look = await giveFree(tx, subnet, runsFrom(pools, (start + passed) % size, count), open)
    given.push(...look.given)
    open = remaining(open, look.given)
    if (look.given.length < look.free) continue
    passed += BigInt(count)
    length = Math.min(length * growth, longestLook)
  }
  return given
}

/**
 * Whether an address is taken is asked of the key for each alone: as a NOT EXISTS the planner, which cannot know how short the
 * runs are, would read all that the network has given out.
 *
 * $2-$3: stretches of addresses, in the order in which they are looked at; $5-$6: who wants one.
 */
const insertFree = `
  WITH free AS MATERIALIZED (
    SELECT run.first + n AS address
    FROM unnest($2::inet[], $3::int[]) WITH ORDINALITY AS run(first, count, turn), generate_series(0, run.count - 1) AS n
    WHERE (SELECT true FROM port_addresses taken WHERE taken.network_id = $1 AND taken.address = run.first + n) IS NULL
    ORDER BY run.turn, n LIMIT cardinality($5::uuid[])),
  given AS (
    INSERT INTO port_addresses (network_id, address, subnet_id, port_id, position)
    SELECT $1, free.address, $4, wanted.port_id, wanted.position
    FROM (SELECT address, row_number() OVER (ORDER BY address) AS turn FROM free) free
      JOIN unnest($5::uuid[], $6::int[]) WITH ORDINALITY AS wanted(port_id, position, turn) USING (turn)
    ORDER BY free.address
    ON CONFLICT DO NOTHING
    RETURNING port_id, position, address)
  SELECT (SELECT count(*) FROM free) AS free, given.port_id AS "portId", given.position, host(given.address) AS address
  FROM (SELECT) AS one LEFT JOIN given ON true`

interface LookRow {
  free: number
  portId: string | null
  position: number
  address: string
}

/**
 * One look: how many addresses of these runs seemed free, of as many as are wanted, and which were got. The others went to
 * somebody else in that moment. Rows are written in the order of their addresses, so that two who look at the same wait for
 * one another in one order.
 */
async function giveFree(
  tx: Transaction,
  subnet: SubnetRow,
  runs: readonly { first: string; count: number }[],
  wants: readonly Want[],
): Promise<{ free: number; given: GivenRow[] }> {
  const rows = await tx.query<LookRow>(insertFree, [
    subnet.networkId,
    runs.map(({ first }) => first),
    runs.map(({ count }) => count),
    subnet.id,
    wants.map(({ portId }) => portId),
    wants.map(({ position }) => position),
  ])
  const given = rows.flatMap(({ portId, position, address }) =>
    portId === null ? [] : [{ portId, position, address, subnetId: subnet.id }],
  )
  return { free: rows[0]!.free, given }
}

/** A place in the pools as chance chooses it, each as likely as the others but for what 128 bits leave over. */
function placeIn(pools: readonly Pool[], random: Random): bigint {
  const size = poolSize(pools)
  return size === 0n ? 0n : BigInt(`0x${random.bytes(16).toString('hex')}`) % size
}

function remaining(wants: readonly Want[], given: readonly GivenRow[]): Want[] {
  const served = new Set(given.map(({ portId, position }) => `${portId} ${position}`))
  return wants.filter(({ portId, position }) => !served.has(`${portId} ${position}`))
}

function inOrder(given: readonly GivenRow[]): AddressesOf {
  const byPort = Map.groupBy(
    given.toSorted((a, b) => a.position - b.position),
    ({ portId }) => portId,
  )
  return new Map([...byPort].map(([portId, rows]) => [portId, rows.map(({ subnetId, address }) => ({ subnetId, address }))]))
}
