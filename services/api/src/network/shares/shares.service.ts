import { Inject, Injectable } from '@nestjs/common'
import { enforce, isCloudAdmin, policy, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  deleteRecord,
  findRecord,
  giveBackNetworkQuota,
  hasExternalUse,
  insertRecord,
  isUniqueViolation,
  isUsedByOthers,
  lockNetwork,
  lockRecord,
  networkRecords,
  shareRecords,
  updateRecord,
  type Database,
  type ShareRow,
  type Transaction,
} from '@nubo/database'
import { invalidInput, networkError } from '@nubo/domain'
import { newId, type Random } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import type { Changes, Wanted } from '../base/attribute.js'
import { CountedResourceService } from '../base/counted-resource.service.js'
import type { Locking } from '../base/resource.service.js'
import { viewerOf } from '../base/listing-query.js'
import type { AttributesOf, ColumnsOf } from '../base/resource.js'
import { networks } from '../networks/networks.js'
import { shares } from './shares.js'

type ShareAttributes = AttributesOf<typeof shares>

const withEverybody = policy('create_rbac_policy:target_tenant', 'Share with every project.', isCloudAdmin)
const asExternal = policy('create_rbac_policy:action', 'Make a network an external one for others.', isCloudAdmin)

@Injectable()
export class SharesService extends CountedResourceService<ColumnsOf<typeof shares>, ShareAttributes> {
  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(RANDOM) private readonly random: Random,
  ) {
    super(shares, 'rbac_policy', database)
  }

  protected async insertOne(tx: Transaction, wanted: Wanted<ShareAttributes>, caller: Caller): Promise<string> {
    const network = await lockRecord(tx, networkRecords, viewerOf(caller), wanted.object_id, 'use')
    if (!network) throw networks.notFound(wanted.object_id)
    if (!isCloudAdmin(caller) && !networks.mayChange(network, caller))
      throw invalidInput('Only admins can manipulate policies on objects they do not own')
    refuseReach(wanted.action, wanted.target_tenant, caller)
    const id = newId(this.random)
    const record = {
      id,
      projectId: wanted.project_id,
      networkId: network.id,
      action: wanted.action,
      targetProject: wanted.target_tenant,
    }
    await orThere(insertRecord(tx, shareRecords, record))
    return id
  }

  protected async change(tx: Transaction, row: ShareRow, changes: Changes<ShareAttributes>, caller: Caller): Promise<void> {
    const targetProject = changes.target_tenant
    if (targetProject === undefined) return
    refuseReach(row.action, targetProject, caller)
    const isChanged = await orThere(updateRecord(tx, shareRecords, row, { targetProject }))
    if (isChanged) await refuseWhereNeeded(tx, row)
  }

  protected async remove(tx: Transaction, row: ShareRow): Promise<void> {
    await deleteRecord(tx, shareRecords, row.id)
    await refuseWhereNeeded(tx, row)
    await giveBackNetworkQuota(tx, row.projectId, { rbac_policy: 1 })
  }

  /**
   * Its network is locked before a share: whoever unshares the network does so in this order too. Whoever is just making
   * something there is waited for, and then seen.
   */
  protected override async lock(tx: Transaction, caller: Caller, id: string, expected: Locking = {}): Promise<ShareRow> {
    const share = await findRecord(tx, shareRecords, viewerOf(caller), id)
    if (share) await lockNetwork(tx, share.networkId, 'deletion')
    return await super.lock(tx, caller, id, expected)
  }
}

function refuseReach(action: string, targetProject: string, caller: Caller): void {
  if (targetProject === '*') enforce(withEverybody, caller)
  if (action === 'access_as_external') enforce(asExternal, caller)
}

/** Once a share is gone: throws Conflict where somebody uses the network who may no more. */
async function refuseWhereNeeded(tx: Transaction, { networkId, action, id }: ShareRow): Promise<void> {
  const isNeeded = action === 'access_as_shared' ? await isUsedByOthers(tx, networkId) : await hasExternalUse(tx, networkId)
  if (isNeeded)
    throw networkError(
      'Conflict',
      'RbacPolicyInUse',
      `RBAC policy on object ${networkId} cannot be removed because other objects depend on it. Policy: ${id}`,
    )
}

async function orThere<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw networkError('Conflict', 'DuplicatePolicyError', 'An RBAC policy already exists with those values.')
  }
}
