import type { ComputeServiceChanges } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { forcedDownSince, type NamedServiceBody } from './services.schemas.js'

// PUT /os-services/{action} before 2.53: the service is named in the body by its host and binary, the action in the path
// (`nova/api/openstack/compute/services.py`, _update_v21).

export interface NamedChange {
  changes: ComputeServiceChanges
  /** What the answer says of it, beside host and binary. */
  told: Record<string, unknown>
}

/** What `action` asks for; throws NotFound for an action that this version does not have. */
export function namedChange(action: string, body: NamedServiceBody, minor: number): NamedChange {
  switch (action) {
    case 'enable':
      return { changes: { enabled: true, disabledReason: null }, told: { status: 'enabled' } }
    case 'disable':
      return { changes: { enabled: false, disabledReason: null }, told: { status: 'disabled' } }
    case 'disable-log-reason': {
      const reason = body.disabled_reason
      if (reason === undefined) throw new CloudError('Invalid', 'Missing disabled reason field')
      return { changes: { enabled: false, disabledReason: reason }, told: { status: 'disabled', disabled_reason: reason } }
    }
    case 'force-down': {
      if (minor < forcedDownSince) break
      const { forced_down: forcedDown } = body
      if (forcedDown === undefined) throw new CloudError('Invalid', 'Missing forced_down field')
      return { changes: { forcedDown }, told: { forced_down: forcedDown } }
    }
  }
  throw new CloudError('NotFound', 'Unknown action')
}
