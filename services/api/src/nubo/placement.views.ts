import type { StoredDecision } from '@nubo/database'
import { decisionFromJson, explain } from '@nubo/domain'
import { secondsTimestamp } from '@nubo/wire'

/** A decision for people and for programs. Tenants do not learn the names of hosts. */
export function placementView(serverId: string, stored: StoredDecision, { nameHosts }: { nameHosts: boolean }) {
  const decision = decisionFromJson(stored.decision)
  const lines = explain(decision, { nameHosts })
  return {
    server_id: serverId,
    outcome: decision.chosenHostId ? 'placed' : 'refused',
    decided_at: secondsTimestamp(stored.decidedAt),
    ...(nameHosts ? { host: stored.hostName } : {}),
    message: lines[0] ?? '',
    lines,
    request: { vcpus: decision.request.vcpus, memory_mib: decision.request.memoryMiB, disk_gib: decision.request.diskGiB },
    hosts_considered: decision.hostCount,
    hosts_accepted: decision.acceptedCount,
    refusals: decision.refusals.map((refusal) => ({
      rule: refusal.rule,
      hosts: refusal.count,
      ...(refusal.needed === undefined ? {} : { needed: refusal.needed }),
      ...(refusal.nearest.has === undefined ? {} : { nearest: refusal.nearest.has }),
      ...(nameHosts ? { nearest_host: refusal.nearest.name } : {}),
    })),
    candidates: decision.candidates.map((candidate) => ({
      ...(nameHosts ? { host: candidate.name } : {}),
      score: candidate.score,
      scores: candidate.scores,
      servers: candidate.serverCount,
      chosen: candidate.hostId === decision.chosenHostId,
    })),
  }
}
