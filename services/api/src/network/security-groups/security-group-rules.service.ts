import { Inject, Injectable } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  deleteRecord,
  findRecord,
  giveBackNetworkQuota,
  holdGroups,
  insertRecord,
  lockGroupRules,
  noteNetworkChange,
  readGroupRules,
  securityGroupRecords,
  securityGroupRuleRecords,
  takeNetworkQuota,
  touchRecord,
  updateRecord,
  type Database,
  type SecurityGroupRuleRow,
  type Transaction,
} from '@nubo/database'
import { meaningOf, networkError, readRule, type SecurityGroupRule } from '@nubo/domain'
import { isUuid, newId, type Random } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import type { Changes, Wanted } from '../base/attribute.js'
import { viewerOf } from '../base/listing-query.js'
import type { AttributesOf, ColumnsOf } from '../base/resource.js'
import { ResourceService, type Expected } from '../base/resource.service.js'
import { securityGroupRules } from './security-group-rules.js'
import { securityGroups } from './security-groups.js'

type RuleAttributes = AttributesOf<typeof securityGroupRules>
type WantedRule = Wanted<RuleAttributes>

@Injectable()
export class SecurityGroupRulesService extends ResourceService<ColumnsOf<typeof securityGroupRules>, RuleAttributes> {
  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(RANDOM) private readonly random: Random,
  ) {
    super(securityGroupRules, database)
  }

  protected async insert(tx: Transaction, wanted: readonly WantedRule[], caller: Caller): Promise<string[]> {
    const { groupId, projectId } = theOneOwner(wanted)
    const rules = wanted.map(toRule)
    await this.assertGroups(tx, groupId, rules, caller)
    assertNew(rules, await readGroupRules(tx, groupId))
    const records = rules.map((rule, index) => ({
      ...{ id: newId(this.random), projectId, groupId, description: wanted[index]!.description },
      ...rule,
    }))
    for (const record of records) await insertRecord(tx, securityGroupRuleRecords, record)
    await this.noteChange(tx, groupId)
    await takeNetworkQuota(tx, projectId, { security_group_rule: records.length })
    return records.map(({ id }) => id)
  }

  /** The group is held until its rules are written; the groups that they name are there, and the caller's to name. */
  private async assertGroups(
    tx: Transaction,
    groupId: string,
    rules: readonly SecurityGroupRule[],
    caller: Caller,
  ): Promise<void> {
    const remoteIds = rules.flatMap(({ remoteGroupId }) => remoteGroupId ?? [])
    const noId = [groupId, ...remoteIds].find((id) => !isUuid(id))
    if (noId !== undefined) throw securityGroups.notFound(noId)
    const group = await lockGroupRules(tx, groupId)
    const known = [...(group ? [group] : []), ...(await holdGroups(tx, remoteIds))]
    const isTheirs = (projectId: string) =>
      isCloudAdmin(caller) || (caller.scope.kind === 'project' && caller.scope.projectId === projectId)
    const named = new Set(known.filter(({ projectId }) => isTheirs(projectId)).map(({ id }) => id))
    const absent = [groupId, ...remoteIds].find((id) => !named.has(id))
    if (absent !== undefined) throw securityGroups.notFound(absent)
  }

  protected async change(tx: Transaction, row: SecurityGroupRuleRow, changes: Changes<RuleAttributes>): Promise<void> {
    await updateRecord(tx, securityGroupRuleRecords, row, { description: changes.description ?? row.description })
  }

  protected async remove(tx: Transaction, { id, groupId, projectId }: SecurityGroupRuleRow): Promise<void> {
    await deleteRecord(tx, securityGroupRuleRecords, id)
    await this.noteChange(tx, groupId)
    await giveBackNetworkQuota(tx, projectId, { security_group_rule: 1 })
  }

  /** A rule's group is locked before the rule: whoever deletes the group does so in this order too. */
  protected override async lock(
    tx: Transaction,
    caller: Caller,
    id: string,
    expected: Expected = {},
  ): Promise<SecurityGroupRuleRow> {
    const rule = await findRecord(tx, securityGroupRuleRecords, viewerOf(caller), id)
    if (rule) await lockGroupRules(tx, rule.groupId)
    return await super.lock(tx, caller, id, expected)
  }

  private async noteChange(tx: Transaction, groupId: string): Promise<void> {
    await touchRecord(tx, securityGroupRecords, groupId)
    await noteNetworkChange(tx, 'group', groupId)
  }
}

function toRule(wanted: WantedRule): SecurityGroupRule {
  return readRule({
    direction: wanted.direction,
    ethertype: wanted.ethertype,
    protocol: wanted.protocol,
    portRangeMin: wanted.port_range_min,
    portRangeMax: wanted.port_range_max,
    remoteIpPrefix: wanted.remote_ip_prefix,
    remoteGroupId: wanted.remote_group_id,
  })
}

/** Rules that are made at once are of one group and one project. */
function theOneOwner(wanted: readonly WantedRule[]): { groupId: string; projectId: string } {
  const { security_group_id: groupId, project_id: projectId } = wanted[0]!
  if (wanted.some((rule) => rule.security_group_id !== groupId))
    throw networkError(
      'Invalid',
      'SecurityGroupNotSingleGroupRules',
      'Only allowed to update rules for one security profile at a time',
    )
  if (wanted.some((rule) => rule.project_id !== projectId))
    throw networkError(
      'Invalid',
      'SecurityGroupRulesNotSingleProject',
      'Multiple project_ids in bulk security group rule create not allowed',
    )
  return { groupId, projectId }
}

/** None of the rules says what another of them, or one that the group has, says already. */
function assertNew(rules: readonly SecurityGroupRule[], existing: readonly (SecurityGroupRule & { id: string })[]): void {
  const meanings = new Set(rules.map(meaningOf))
  if (meanings.size < rules.length)
    throw networkError('Conflict', 'DuplicateSecurityGroupRuleInPost', 'Duplicate Security Group Rule in POST.')
  const same = existing.find((rule) => meanings.has(meaningOf(rule)))
  if (same)
    throw networkError('Conflict', 'SecurityGroupRuleExists', `Security group rule already exists. Rule id is ${same.id}.`)
}
