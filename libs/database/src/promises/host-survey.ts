import type { SurveyedServer } from '@nubo/contract'
import type { HostId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import type { CheckOptions } from './check.js'
import { finding, type Finding } from './finding.js'

/** What a host itself says lies on it, asked before the records are read: see `examineHosts`. */
export interface HostSurvey {
  hostId: HostId
  servers: readonly SurveyedServer[]
  /** Folders that nobody can tell whose they are. */
  strays: readonly string[]
}

/** A host that is up by its heartbeats and does not say what lies on it: nothing is known of it then, and that is no good news. */
export function hostDidNotAnswer({ hostId, name, trouble }: { hostId: HostId; name: string; trouble: string }): Finding {
  const message = `Host ${name} is up, and does not say what lies on it: ${trouble}`
  return finding('host.unanswered', { about: { hostId, hostName: name }, message })
}

/** One promise, or a part of it, held against what lies on the hosts that answered. */
export type HostCheck = (db: Queryable, surveys: readonly HostSurvey[], options: CheckOptions) => Promise<Finding[]>

/** Something of a server that lies on a host, to be looked up among the records. */
export interface Lying {
  hostId: HostId
  serverId: SurveyedServer['serverId']
  incarnation: number
}

/** Every domain, with the host it is on. */
export function domainsOf(surveys: readonly HostSurvey[]): (Lying & NonNullable<SurveyedServer['domain']>)[] {
  return surveys.flatMap(({ hostId, servers }) =>
    servers.flatMap(({ serverId, domain }) => (domain ? [{ hostId, serverId, ...domain }] : [])),
  )
}

/** Every folder with disks, with the host it is on. */
export function foldersOf(surveys: readonly HostSurvey[]): (Lying & SurveyedServer['folders'][number])[] {
  return surveys.flatMap(({ hostId, servers }) =>
    servers.flatMap(({ serverId, folders }) => folders.map((folder) => ({ hostId, serverId, ...folder }))),
  )
}

/** What `lying` comes to in SQL: parameters $1 to $3 of `lyingRows`. */
export function lyingColumns(lying: readonly Lying[]): unknown[] {
  return [lying.map((each) => each.hostId), lying.map((each) => each.serverId), lying.map((each) => each.incarnation)]
}

export const lyingRows = `unnest($1::uuid[], $2::uuid[], $3::int[]) AS l(host_id, server_id, incarnation)`

/** The same for what lies on one host of one incarnation of a server. */
export function nameOf({ hostId, serverId, incarnation }: Lying): string {
  return `${hostId}|${serverId}|${incarnation}`
}
