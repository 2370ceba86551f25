import { zonelessTimestamp } from '@nubo/wire'
import type { NetworkAgent } from './agents.service.js'
import { networkZone } from './network-zones.js'

/** A host's agent, as Neutron shows the programs that carry its networks. */
export function agentView({ id, host, enabled, alive, lastHeardAt, description, trouble }: NetworkAgent) {
  const heardAt = lastHeardAt && zonelessTimestamp(lastHeardAt).replace('T', ' ')
  return {
    id,
    agent_type: 'Nubo host network',
    binary: 'nubo-compute-agent',
    topic: 'N/A',
    host,
    availability_zone: networkZone,
    admin_state_up: enabled,
    alive,
    // What it says that it cannot make of its networks; nothing where all is as it is to be.
    configurations: trouble === undefined ? {} : { trouble },
    heartbeat_timestamp: heardAt,
    started_at: heardAt,
    created_at: heardAt,
    description,
    resources_synced: null,
  }
}
