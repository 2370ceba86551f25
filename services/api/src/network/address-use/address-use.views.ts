import type { NetworkUse, SubnetUse } from '@nubo/database'
import { parsePool, parsePrefix, poolSize, prefixSize } from '@nubo/domain'

/** What can be given out: all of the pools, or, without any, of the prefix. */
function sizeOf({ cidr, pools }: SubnetUse): bigint {
  return pools.length > 0 ? poolSize(pools.map((pool) => parsePool(pool)!)) : prefixSize(parsePrefix(cidr)!)
}

const subnetView = (subnet: SubnetUse) => ({
  subnet_id: subnet.id,
  subnet_name: subnet.name,
  cidr: subnet.cidr,
  ip_version: subnet.ipVersion,
  used_ips: subnet.used,
  // Of IPv6 it is more than a number holds exactly: what clients read is near enough.
  total_ips: Number(sizeOf(subnet)),
})

export const addressUseView = ({ id, name, projectId, subnets }: NetworkUse) => ({
  network_id: id,
  network_name: name,
  project_id: projectId,
  tenant_id: projectId,
  used_ips: subnets.reduce((sum, { used }) => sum + used, 0),
  total_ips: Number(subnets.reduce((sum, subnet) => sum + sizeOf(subnet), 0n)),
  subnet_ip_availability: subnets.map(subnetView),
})

/** The networks that have subnets of these versions, with those alone; all of them where none is named. */
export function ofVersions(uses: readonly NetworkUse[], versions: string | string[] | undefined): readonly NetworkUse[] {
  if (versions === undefined) return uses
  const wanted = [versions].flat()
  return uses
    .map((use) => ({ ...use, subnets: use.subnets.filter(({ ipVersion }) => wanted.includes(String(ipVersion))) }))
    .filter(({ subnets }) => subnets.length > 0)
}
