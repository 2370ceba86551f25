import { enforce, isCloudAdmin, policy, type Caller } from '@nubo/auth'
import type { NetworkRow } from '@nubo/database'
import { deviceOwners } from '@nubo/domain'

/** What of a port not everybody may give. */
interface GivenOfPort {
  mac_address?: string
  fixed_ips?: readonly { address?: string | undefined }[]
  port_security_enabled?: boolean
  allowed_address_pairs?: unknown
  device_owner?: string
}

/** Ports that the cloud makes for its own devices. */
const reservedOwners: readonly string[] = Object.values(deviceOwners)

/**
 * Throws Forbidden where the network is another's and not shared, or where what is given is for the network's own project to
 * give (neutron/conf/policies/port.py): whoever shares a network does not let others take its addresses by name, or leave its
 * guard against spoofing.
 */
export function assertMayGive(verb: 'create' | 'update', given: GivenOfPort, network: NetworkRow, caller: Caller): void {
  if (isCloudAdmin(caller)) return
  const owner = given.device_owner ?? ''
  require(!reservedOwners.includes(owner), `${verb}_port:device_owner`, caller)
  if (caller.scope.kind === 'project' && caller.scope.projectId === network.projectId) return
  require(network.shared, `${verb}_port`, caller)
  require(given.mac_address === undefined, `${verb}_port:mac_address`, caller)
  require(!given.fixed_ips?.some(({ address }) => address !== undefined), `${verb}_port:fixed_ips:ip_address`, caller)
  require(given.port_security_enabled === undefined, `${verb}_port:port_security_enabled`, caller)
  require(given.allowed_address_pairs === undefined, `${verb}_port:allowed_address_pairs`, caller)
  require(!owner.startsWith('network:'), `${verb}_port:device_owner`, caller)
}

function require(holds: boolean, name: string, caller: Caller): void {
  enforce(
    policy(name, '', () => holds),
    caller,
  )
}
