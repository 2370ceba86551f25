import { Inject, Injectable } from '@nestjs/common'
import { DATABASE } from '@nubo/control-plane'
import {
  deleteRecord,
  giveBackNetworkQuota,
  insertRecord,
  isUniqueViolation,
  subnetPoolRecords,
  takenOfPool,
  updateRecord,
  type Database,
  type SubnetPoolRow,
  type Transaction,
} from '@nubo/database'
import {
  compactPrefixes,
  invalidInput,
  networkError,
  parsePrefix,
  prefixBounds,
  prefixContains,
  printPrefix,
  type Family,
  type Prefix,
} from '@nubo/domain'
import { newId, type Random, type SubnetPoolId } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import type { Changes, Wanted } from '../base/attribute.js'
import { CountedResourceService } from '../base/counted-resource.service.js'
import type { AttributesOf, ColumnsOf } from '../base/resource.js'
import { subnetPools } from './subnet-pools.js'

type PoolAttributes = AttributesOf<typeof subnetPools>

@Injectable()
export class SubnetPoolsService extends CountedResourceService<ColumnsOf<typeof subnetPools>, PoolAttributes> {
  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(RANDOM) private readonly random: Random,
  ) {
    super(subnetPools, 'subnetpool', database)
  }

  protected async insertOne(tx: Transaction, wanted: Wanted<PoolAttributes>): Promise<string> {
    const id = newId<SubnetPoolId>(this.random)
    await orDefaultTaken(insertRecord(tx, subnetPoolRecords, { id, ...recordOf(wanted) }))
    return id
  }

  protected async change(tx: Transaction, row: SubnetPoolRow, changes: Changes<PoolAttributes>): Promise<void> {
    const prefixes = changes.prefixes === undefined ? undefined : grown(row, spacesOf(changes.prefixes))
    const { min, max, usual } = prefixBounds(row.ipVersion, {
      min: changes.min_prefixlen ?? row.minPrefix,
      max: changes.max_prefixlen ?? row.maxPrefix,
      usual: changes.default_prefixlen ?? row.defaultPrefix,
    })
    await orDefaultTaken(
      updateRecord(tx, subnetPoolRecords, row, {
        name: changes.name,
        description: changes.description,
        prefixes,
        minPrefix: min,
        maxPrefix: max,
        defaultPrefix: usual,
        defaultQuota: changes.default_quota,
        isDefault: changes.is_default,
      }),
    )
  }

  protected async remove(tx: Transaction, { id, projectId }: SubnetPoolRow): Promise<void> {
    if ((await takenOfPool(tx, id)).length > 0)
      throw networkError(
        'Conflict',
        'SubnetPoolDeleteError',
        'Unable to delete subnet pool: Subnet pool has existing allocations.',
      )
    await deleteRecord(tx, subnetPoolRecords, id)
    await giveBackNetworkQuota(tx, projectId, { subnetpool: 1 })
  }
}

function recordOf(wanted: Wanted<PoolAttributes>) {
  const spaces = spacesOf(wanted.prefixes)
  const family: Family = spaces[0]!.family
  const { min, max, usual } = prefixBounds(family, {
    min: wanted.min_prefixlen,
    max: wanted.max_prefixlen,
    usual: wanted.default_prefixlen,
  })
  return {
    projectId: wanted.project_id,
    name: wanted.name,
    description: wanted.description,
    ipVersion: family,
    prefixes: spaces.map(printPrefix),
    minPrefix: min,
    maxPrefix: max,
    defaultPrefix: usual,
    defaultQuota: wanted.default_quota,
    shared: wanted.shared,
    isDefault: wanted.is_default,
  }
}

/** Throws Invalid for none at all, or of both versions of IP. */
function spacesOf(texts: readonly string[]): Prefix[] {
  if (texts.length === 0) throw networkError('Invalid', 'EmptySubnetPoolPrefixList', 'Empty subnet pool prefix list.')
  const spaces = texts.map((text) => parsePrefix(text)!)
  if (spaces.some(({ family }) => family !== spaces[0]!.family))
    throw networkError('Invalid', 'PrefixVersionMismatch', 'Cannot mix IPv4 and IPv6 prefixes in a subnet pool.')
  return compactPrefixes(spaces)
}

/** A pool's prefixes may be added to. Throws Invalid where something of them would be missing. */
function grown(row: SubnetPoolRow, after: Prefix[]): string[] {
  if (after[0]!.family !== row.ipVersion) throw invalidInput('The prefixes of a subnet pool keep their ip_version')
  const missing = row.prefixes
    .map((text) => parsePrefix(text)!)
    .filter(
      ({ family, first, length }) =>
        !after.some((each) => each.length <= length && prefixContains(each, { family, value: first })),
    )
  if (missing.length > 0)
    throw networkError(
      'Invalid',
      'IllegalSubnetPoolPrefixUpdate',
      `Illegal update to prefixes: Existing prefixes must be a subset of the new prefixes. Missing: ${missing.map(printPrefix).join(', ')}.`,
    )
  return after.map(printPrefix)
}

async function orDefaultTaken<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isUniqueViolation(error, 'subnet_pools_default_key'))
      throw invalidInput('A default subnetpool for this IP family has already been set. Only one default may exist per IP family')
    throw error
  }
}
