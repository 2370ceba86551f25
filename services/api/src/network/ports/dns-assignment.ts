import { usualDomain } from '@nubo/contract'
import type { PortRecord } from '@nubo/database'

type Named = Pick<PortRecord, 'shownDnsName' | 'networkDnsDomain' | 'fixedAddresses'>

/** What the DNS of a port's network answers of it: its name, or one that follows from the address, as Neutron writes them. */
export function dnsAssignment({ shownDnsName: name, networkDnsDomain, fixedAddresses }: Named) {
  const domain = `${networkDnsDomain.replace(/\.$/, '') || usualDomain}.`
  return fixedAddresses.map(({ address }) => {
    const hostname = name || `host-${address.replaceAll(/[.:]/g, '-')}`
    return { ip_address: address, hostname, fqdn: hostname.endsWith('.') ? hostname : `${hostname}.${domain}` }
  })
}
