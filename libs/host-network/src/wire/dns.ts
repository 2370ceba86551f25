import type { HostSettings } from '../settings.js'
import type { NetworkPlan } from '../plan.js'
import { isHostname } from './served-subnet.js'

/** What the names of the network's guests end with. */
export function networkDomain({ dnsDomain }: Pick<NetworkPlan, 'dnsDomain'>, settings: HostSettings): string {
  const domain = dnsDomain.replace(/\.$/, '')
  return domain !== '' && domain.split('.').every(isHostname) ? domain : settings.dnsDomain
}

/** Lines of a hosts file: for each guest of the network, wherever it is, its full name and the short one. */
export function hostEntries(network: NetworkPlan, settings: HostSettings): string[] {
  const domain = networkDomain(network, settings)
  return network.names
    .filter(({ name }) => isHostname(name))
    .flatMap(({ name, addresses }) => addresses.map((address) => `${address} ${name}.${domain} ${name}`))
}
