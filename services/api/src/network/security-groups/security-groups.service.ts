import { Inject, Injectable } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  countNetworkUse,
  defaultGroupAmounts,
  deleteSecurityGroup,
  ensureDefaultGroup,
  findDefaultGroup,
  insertSecurityGroups,
  isForeignKeyViolation,
  isGroupInUse,
  noteNetworkChange,
  securityGroupRecords,
  takeNetworkQuota,
  updateRecord,
  type Database,
  type SecurityGroupRow,
  type Transaction,
} from '@nubo/database'
import { networkError } from '@nubo/domain'
import { newId, type Random } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import type { Changes, Wanted } from '../base/attribute.js'
import type { AnyQuery } from '../base/listing-query.js'
import type { AttributesOf, ColumnsOf } from '../base/resource.js'
import { ResourceService } from '../base/resource.service.js'
import { securityGroups } from './security-groups.js'

type GroupAttributes = AttributesOf<typeof securityGroups>

/** Everything may go out of a new group, over IPv4 and IPv6. */
const rulesOfNew = 2

@Injectable()
export class SecurityGroupsService extends ResourceService<ColumnsOf<typeof securityGroups>, GroupAttributes> {
  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(RANDOM) private readonly random: Random,
  ) {
    super(securityGroups, database)
  }

  /** Who looks at groups finds the default group there, as if it had always been. */
  override async list(caller: Caller, query: AnyQuery): Promise<SecurityGroupRow[]> {
    await this.ensureDefault(caller)
    return await super.list(caller, query)
  }

  private async ensureDefault({ scope }: Caller): Promise<void> {
    if (scope.kind !== 'project' || (await findDefaultGroup(this.database, scope.projectId))) return
    await this.database.transaction(async (tx) => {
      const { isNew } = await ensureDefaultGroup(tx, scope.projectId, this.random)
      if (isNew) await countNetworkUse(tx, scope.projectId, defaultGroupAmounts)
    })
  }

  protected async insert(tx: Transaction, wanted: readonly Wanted<GroupAttributes>[]): Promise<string[]> {
    wanted.forEach(assertNameIsFree)
    const byProject = [...Map.groupBy(wanted, ({ project_id: id }) => id)].toSorted(([a], [b]) => (a < b ? -1 : 1))
    const made = await this.ensureDefaults(
      tx,
      byProject.map(([projectId]) => projectId),
    )
    const groups = wanted.map(({ project_id: projectId, name, description, stateful }) => ({
      ...{ id: newId(this.random), projectId, name, description, stateful },
      ruleIds: [newId(this.random), newId(this.random)] as const,
    }))
    await insertSecurityGroups(tx, groups)
    for (const [projectId, theirs] of byProject) {
      if (made.has(projectId)) await countNetworkUse(tx, projectId, defaultGroupAmounts)
      const count = theirs.length
      await takeNetworkQuota(tx, projectId, { security_group: count, security_group_rule: count * rulesOfNew })
    }
    return groups.map(({ id }) => id)
  }

  /** Returns the projects whose default group was made by this. */
  private async ensureDefaults(tx: Transaction, projectIds: readonly string[]): Promise<Set<string>> {
    const made = new Set<string>()
    for (const projectId of projectIds) if ((await ensureDefaultGroup(tx, projectId, this.random)).isNew) made.add(projectId)
    return made
  }

  protected async change(tx: Transaction, row: SecurityGroupRow, changes: Changes<GroupAttributes>): Promise<void> {
    assertNameIsFree(changes)
    if (row.isDefault && changes.name !== undefined)
      throw networkError('Conflict', 'SecurityGroupCannotUpdateDefault', 'Updating default security group not allowed.')
    const becomesOther = changes.stateful !== undefined && changes.stateful !== row.stateful
    if (becomesOther && (await isGroupInUse(tx, row.id))) throw groupInUse(row.id)
    await updateRecord(tx, securityGroupRecords, row, changes)
    if (becomesOther) await noteNetworkChange(tx, 'group', row.id)
  }

  protected async remove(tx: Transaction, row: SecurityGroupRow, caller: Caller): Promise<void> {
    if (await isGroupInUse(tx, row.id)) throw groupInUse(row.id)
    if (row.isDefault && !isCloudAdmin(caller))
      throw networkError(
        'Conflict',
        'SecurityGroupCannotRemoveDefault',
        'Insufficient rights for removing default security group.',
      )
    await deleteSecurityGroup(tx, row).catch((error: unknown) => {
      throw isForeignKeyViolation(error, 'port_security_groups_group_id_fkey') ? groupInUse(row.id) : error
    })
  }
}

/** Whatever its case: people would not tell them apart. */
function assertNameIsFree({ name }: { name?: string }): void {
  if (name?.toLowerCase() === 'default')
    throw networkError('Conflict', 'SecurityGroupDefaultAlreadyExists', 'Default security group already exists.')
}

const groupInUse = (id: string) => networkError('Conflict', 'SecurityGroupInUse', `Security Group ${id} in use.`)
