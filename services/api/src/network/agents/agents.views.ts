import type { ServiceRow } from '@nubo/database'
import { zonelessTimestamp } from '@nubo/wire'

/** A host's agent, as Neutron shows the programs that carry its networks. Nobody but the host itself changes it. */
export function agentView({ id, host, enabled, alive, lastHeardAt }: ServiceRow, troubles: ReadonlyMap<string, string>) {
  const heardAt = lastHeardAt && zonelessTimestamp(lastHeardAt).replace('T', ' ')
  return {
    id,
    agent_type: 'Nubo host network',
    binary: 'nubo-compute-agent',
    topic: 'N/A',
    host,
    availability_zone: 'nova',
    admin_state_up: enabled,
    alive,
    // What it says that it cannot make of its networks; nothing where all is as it is to be.
    configurations: troubles.has(id) ? { trouble: troubles.get(id) } : {},
    heartbeat_timestamp: heardAt,
    started_at: heardAt,
    created_at: heardAt,
    description: null,
    resources_synced: null,
  }
}
