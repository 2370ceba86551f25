/** What a project may have, from Nova's defaults (nova/conf/quota.py). -1 is no limit. */
export const defaultLimits = {
  instances: 10,
  cores: 20,
  ramMiB: 51_200,
  metadataItems: 128,
  injectedFiles: 5,
  injectedFileContentBytes: 10_240,
  injectedFilePathBytes: 255,
  keyPairs: 100,
  serverGroups: 10,
  serverGroupMembers: 10,
}

export type QuotaResource = keyof typeof defaultLimits
export type QuotaLimits = Record<QuotaResource, number>
export type QuotaAmounts = Partial<Record<QuotaResource, number>>

/** As Nova's messages and quota sets name them. */
export const quotaResourceNames: Record<QuotaResource, string> = {
  instances: 'instances',
  cores: 'cores',
  ramMiB: 'ram',
  metadataItems: 'metadata_items',
  injectedFiles: 'injected_files',
  injectedFileContentBytes: 'injected_file_content_bytes',
  injectedFilePathBytes: 'injected_file_path_bytes',
  keyPairs: 'key_pairs',
  serverGroups: 'server_groups',
  serverGroupMembers: 'server_group_members',
}

export const unlimited = -1

/** A request that would go over its project's limits; a 403 with this message. */
export interface QuotaExcess {
  /** In the order of Nova's names. */
  resources: QuotaResource[]
  message: string
}

const resourceList = Object.keys(defaultLimits) as QuotaResource[]

/** The limits of a project of which only what differs from the defaults is stored, beside limits of other services. */
export function limitsOf(stored: QuotaAmounts): QuotaLimits {
  const limits = { ...defaultLimits }
  for (const resource of resourceList) limits[resource] = stored[resource] ?? limits[resource]
  return limits
}

/**
 * Says which limits `wanted` on top of `usage` would exceed, in Nova's words; undefined if none. Limits that are counted
 * for each request alone (metadata items, injected files) have no usage.
 */
export function exceeded(limits: QuotaLimits, usage: QuotaAmounts, wanted: QuotaAmounts): QuotaExcess | undefined {
  const resources = resourcesOver(limits, usage, wanted)
  if (resources.length === 0) return undefined
  const speaking = (Object.keys(messages) as (keyof typeof messages)[]).find((resource) => resources.includes(resource))
  if (speaking) return { resources, message: messages[speaking](limits[speaking]) }
  return tooMany(limits, usage, wanted, resources)
}

export interface ServersWanted {
  /** What each of them takes. */
  vcpus: number
  memoryMiB: number
  minCount: number
  maxCount: number
}

/**
 * How many servers a request for several may make: `maxCount`, or what is left down to `minCount`, or why not even that
 * (nova/compute/utils.py, check_num_instances_quota).
 */
export function serversWithin(limits: QuotaLimits, usage: QuotaAmounts, servers: ServersWanted): { count: number } | QuotaExcess {
  const { vcpus, memoryMiB, minCount, maxCount } = servers
  const timesWithin = (resource: QuotaResource, amount: number) => {
    const left = limits[resource] < 0 ? Infinity : limits[resource] - (usage[resource] ?? 0)
    if (amount === 0) return left < 0 ? 0 : Infinity
    return Math.floor(left / amount)
  }
  const most = Math.min(timesWithin('instances', 1), timesWithin('cores', vcpus), timesWithin('ramMiB', memoryMiB))
  if (most >= minCount) return { count: Math.min(most, maxCount) }
  const wanted = { instances: maxCount, cores: maxCount * vcpus, ramMiB: maxCount * memoryMiB }
  const counts = minCount === maxCount ? undefined : `${minCount}-${maxCount}`
  return tooMany(limits, usage, wanted, resourcesOver(limits, usage, wanted), counts)
}

/**
 * Why a limit may not be set this low, in Nova's words, for a 400; undefined if it may. An administrator who forces the
 * change is not asked (nova/api/openstack/compute/quota_sets.py, _validate_quota_limit).
 */
export function limitRefusal(resource: QuotaResource, limit: number, used: number): string | undefined {
  if (limit === unlimited || limit >= used) return undefined
  const name = quotaResourceNames[resource]
  return `Quota limit ${limit} for ${name} must be greater than or equal to already used and reserved ${used}.`
}

/** nova/exception.py, the heirs of OverQuota. In the order in which Nova checks. */
const messages = {
  injectedFiles: () => 'Personality file limit exceeded',
  injectedFilePathBytes: (limit: number) => `Personality file path exceeds maximum ${limit}`,
  injectedFileContentBytes: (limit: number) => `Personality file content exceeds maximum ${limit}`,
  metadataItems: (limit: number) => `Maximum number of metadata items exceeds ${limit}`,
  keyPairs: () => 'Quota exceeded, too many key pairs.',
  serverGroups: () => 'Quota exceeded, too many server groups.',
  serverGroupMembers: () => 'Quota exceeded, too many servers in group',
}

/** nova/exception.py, TooManyInstances. */
function tooMany(
  limits: QuotaLimits,
  usage: QuotaAmounts,
  wanted: QuotaAmounts,
  resources: QuotaResource[],
  counts?: string,
): QuotaExcess {
  const names = resources.map((resource) => quotaResourceNames[resource]).join(', ')
  const requested = resources.map((resource) => (resource === 'instances' && counts) || wanted[resource]).join(', ')
  const used = resources.map((resource) => usage[resource] ?? 0).join(', ')
  const allowed = resources.map((resource) => limits[resource]).join(', ')
  return {
    resources,
    message: `Quota exceeded for ${names}: Requested ${requested}, but already used ${used} of ${allowed} ${names}`,
  }
}

function resourcesOver(limits: QuotaLimits, usage: QuotaAmounts, wanted: QuotaAmounts): QuotaResource[] {
  const resources = Object.keys(wanted) as QuotaResource[]
  return resources
    .filter((resource) => limits[resource] >= 0 && (usage[resource] ?? 0) + (wanted[resource] ?? 0) > limits[resource])
    .sort((a, b) => (quotaResourceNames[a] < quotaResourceNames[b] ? -1 : 1))
}
