import type { HostSettings } from '../settings.js'
import type { NetworkPlan } from '../plan.js'
import { isHostname } from './served-subnet.js'

/** What the names of the network's guests end with. */
export function networkDomain({ dnsDomain }: Pick<NetworkPlan, 'dnsDomain'>, settings: HostSettings): string {
  const domain = dnsDomain.replace(/\.$/, '')
  return domain !== '' && domain.split('.').every(isHostname) ? domain : settings.dnsDomain
}

/**
 * Lines of a hosts file: for each port of the network that has a name, wherever it is, the full one and the short one. One of
 * several labels has no short one: it may be that of somebody in the world, whom others of the network ask for.
 */
export function hostEntries(network: NetworkPlan, settings: HostSettings): string[] {
  const domain = networkDomain(network, settings)
  return network.names
    .filter(({ name }) => name.split('.').every(isHostname))
    .flatMap(({ name, addresses }) => {
      const words = [`${name}.${domain}`, ...(name.includes('.') ? [] : [name])].join(' ')
      return addresses.map((address) => `${address} ${words}`)
    })
}
