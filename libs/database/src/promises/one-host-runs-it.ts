import type { HostId } from '@nubo/kernel'
import { powerStates } from '@nubo/domain'
import { domainsOf, type HostCheck } from './host-survey.js'
import { finding } from './finding.js'

const running: ReadonlySet<number> = new Set([powerStates.running, powerStates.paused])

/**
 * Promise 2: no server runs on two hosts. This is said of what the hosts say alone, whatever the records are: two guests
 * on one disk or one address do harm whoever is right.
 */
export const oneHostRunsIt: HostCheck = async (db, surveys, { limit }) => {
  const runs = domainsOf(surveys).filter(({ powerState }) => running.has(powerState))
  const several = [...Map.groupBy(runs, ({ serverId }) => serverId)].filter(([, on]) => on.length > 1).slice(0, limit)
  if (several.length === 0) return []
  const hosts = await db.query<{ id: HostId; name: string }>('SELECT id, name FROM hosts')
  const nameOf = (hostId: HostId) => hosts.find(({ id }) => id === hostId)?.name ?? hostId
  return several.map(([serverId, on]) =>
    finding('server.on-two-hosts', {
      about: { serverId },
      message: `Server ${serverId} runs on ${on.length} hosts: ${on.map(({ hostId, incarnation }) => `${nameOf(hostId)} (incarnation ${incarnation})`).join(', ')}.`,
    }),
  )
}
