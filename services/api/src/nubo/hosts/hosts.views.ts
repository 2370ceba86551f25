import type { Finding, HostRow } from '@nubo/database'
import { secondsTimestamp } from '@nubo/wire'
import type { InspectedHost } from './hosts.service.js'

/** What stands above what: a fence is an operator's word, and a host in quarantine may be up or down. */
export function stateOf({ forcedDown, quarantine, alive }: HostRow): 'fenced' | 'quarantined' | 'up' | 'down' {
  if (forcedDown) return 'fenced'
  if (quarantine !== null) return 'quarantined'
  return alive ? 'up' : 'down'
}

const explanations = {
  up: null,
  down: {
    why: 'It was not heard for half a minute in which it could have been. Its servers are left as they are, and it gets no new ones.',
    what_to_do:
      'Look at the machine, its network and its agent. If it is dead for certain, and only then: nubo host fence. Its builds then go to other hosts, and what waits for it is settled.',
  },
  fenced: {
    why: 'An operator declared it dead. It gets nothing to do, and what waits for it counts as done or failed.',
    what_to_do:
      'When it is sound again: nubo host release. It then removes what was given up meanwhile, and goes on with what it still has.',
  },
}

const quarantineHelp =
  'Remove the cause, and then: nubo host release. Until then its guests go on as they are, and none is made or removed there.'

/** A host, what keeps it from taking part, and what a person can do about it. */
export function hostView(host: HostRow) {
  const state = stateOf(host)
  const explanation = state === 'quarantined' ? { why: host.quarantine, what_to_do: quarantineHelp } : explanations[state]
  return {
    id: host.id,
    name: host.name,
    state,
    why: explanation?.why ?? null,
    what_to_do: explanation?.what_to_do ?? null,
    status: host.enabled ? 'enabled' : 'disabled',
    disabled_reason: host.disabledReason,
    address: host.address,
    virt_type: host.virtType,
    fencing_epoch: host.fencingEpoch,
    last_heard_at: host.lastHeardAt && secondsTimestamp(host.lastHeardAt),
    servers: host.serverCount,
    waiting_steps: host.waitingSteps,
    tombstones: host.tombstones.map(guestView),
    abandoned: host.abandoned.map(guestView),
  }
}

export function inspectedHostView({ host, findings, trouble }: InspectedHost) {
  return { ...hostView(host), answered: trouble === undefined, trouble: trouble ?? null, findings: findings.map(findingView) }
}

function findingView({ code, message, since, repair }: Finding) {
  return { code, message, since: since && secondsTimestamp(since), repair: { possible: repair.possible, how: repair.how } }
}

function guestView({ serverId, incarnation }: HostRow['tombstones'][number]) {
  return { server_id: serverId, incarnation }
}
