import { defaultSubnetPool, lockRecord, subnetPoolRecords, takenOfPool, type Transaction, type Viewer } from '@nubo/database'
import {
  badRequest,
  checkAllocatedLength,
  firstFreePrefix,
  networkError,
  noRoomInPool,
  parsePrefix,
  prefixContains,
  prefixesOverlap,
  quotaUnits,
  subnetPrefix,
  type Prefix,
} from '@nubo/domain'

export interface PrefixWanted {
  project_id: string
  ip_version: 4 | 6
  cidr?: string
  prefixlen?: number
  subnetpool_id?: string | null
  use_default_subnetpool: boolean
}

export interface GivenPrefix {
  prefix: Prefix
  /** That it was taken of; null where it was named alone. */
  subnetPoolId: string | null
}

/** The prefix of a new subnet: the one that was named, or one out of a pool. Throws Invalid, NotFound, Conflict, QuotaExceeded. */
export async function prefixFor(tx: Transaction, wanted: PrefixWanted, viewer: Viewer): Promise<GivenPrefix> {
  if (wanted.cidr !== undefined && wanted.prefixlen !== undefined)
    throw badRequest('subnets', 'cidr and prefixlen must not be supplied together')
  const poolId = await poolFor(tx, wanted)
  if (poolId !== null) return { prefix: await takeOfPool(tx, wanted, poolId, viewer), subnetPoolId: poolId }
  if (wanted.cidr === undefined) throw badRequest('subnets', 'a subnetpool must be specified in the absence of a cidr')
  return { prefix: subnetPrefix(wanted.cidr, wanted.ip_version), subnetPoolId: null }
}

async function poolFor(tx: Transaction, wanted: PrefixWanted): Promise<string | null> {
  if (!wanted.use_default_subnetpool) return wanted.subnetpool_id ?? null
  if (wanted.subnetpool_id) throw badRequest('subnets', 'subnetpool_id and use_default_subnetpool cannot both be specified')
  const poolId = await defaultSubnetPool(tx, wanted.ip_version)
  if (poolId === undefined) throw badRequest('subnets', `No default subnetpool found for IPv${wanted.ip_version}`)
  return poolId
}

/** The pool is locked until the transaction ends: nobody else takes the same of it. */
async function takeOfPool(tx: Transaction, wanted: PrefixWanted, poolId: string, viewer: Viewer): Promise<Prefix> {
  const pool = await lockRecord(tx, subnetPoolRecords, viewer, poolId)
  if (!pool) throw networkError('NotFound', 'SubnetPoolNotFound', `Subnet pool ${poolId} could not be found.`)
  if (pool.ipVersion !== wanted.ip_version)
    throw networkError(
      'Invalid',
      'InvalidInput',
      'Invalid input for operation: Cannot allocate requested subnet from the pool: its ip_version differs.',
    )
  const spaces = pool.prefixes.map((text) => parsePrefix(text)!)
  const uses = await takenOfPool(tx, poolId)
  const taken = uses.map(({ cidr }) => parsePrefix(cidr)!)
  const prefix = choose(wanted, { spaces, taken, usualLength: pool.defaultPrefix })
  checkAllocatedLength(prefix.length, { min: pool.minPrefix, max: pool.maxPrefix, usual: pool.defaultPrefix })
  const theirs = uses.flatMap(({ projectId }, index) => (projectId === wanted.project_id ? [taken[index]!] : []))
  const used = theirs.reduce((sum, each) => sum + quotaUnits(each), 0)
  if (pool.defaultQuota !== null && used + quotaUnits(prefix) > pool.defaultQuota)
    throw networkError('QuotaExceeded', 'SubnetPoolQuotaExceeded', 'Per-project subnet pool prefix quota exceeded.')
  return prefix
}

interface Space {
  spaces: readonly Prefix[]
  taken: readonly Prefix[]
  usualLength: number
}

function choose({ cidr, ip_version: family, prefixlen }: PrefixWanted, { spaces, taken, usualLength }: Space): Prefix {
  if (cidr === undefined) {
    const length = prefixlen ?? usualLength
    const free = firstFreePrefix(spaces, taken, length)
    if (!free) throw noRoomInPool(length)
    return free
  }
  const prefix = subnetPrefix(cidr, family)
  const within = spaces.some((space) => space.length <= prefix.length && prefixContains(space, { family, value: prefix.first }))
  if (!within || taken.some((each) => prefixesOverlap(each, prefix))) throw noRoomInPool(prefix)
  return prefix
}
