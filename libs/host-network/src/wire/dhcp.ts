import { familyOf, prefixLengthOf, subnetOf } from '../addresses.js'
import type { Piece } from '../engine/piece.js'
import { insideService, networkTag, serviceNamespace } from '../names.js'
import type { Part } from '../part.js'
import type { PortPlan } from '../plan.js'
import type { HostSettings } from '../settings.js'
import { digestOf, dnsmasq, filesOf, isTaken, settingsText } from './dnsmasq.js'
import { hostEntries, networkDomain } from './dns.js'
import { optionLines } from './dhcp-options.js'
import { resolverPorts, upstreamOf } from './resolvers.js'
import {
  givesAddresses,
  isAdvertised,
  isHostname,
  isOtherWord,
  modeOf,
  portTag,
  servedSubnets,
  type ServedSubnet,
} from './served-subnet.js'
import { servedNetworks, uplinkAddresses, type ServedNetwork } from './service-link.js'

const leaseSeconds = 86_400

/** On each network one dnsmasq: gives this host's guests their addresses, and answers names. */
export const dhcp: Part = ({ networks, ports }, settings, program) => {
  const served = servedNetworks(networks, settings)
  const upstreams = resolverPorts(served, settings)
  const portsOf = Map.groupBy(ports, ({ networkId }) => networkId)
  for (const network of served) {
    const guests = portsOf.get(network.networkId) ?? []
    const upstream = upstreams.get(upstreamOf(network))!
    program.piece(network.networkId, answerer, { ...network, neighbours: nobody }, guests, upstream, settings)
  }
}

/** They are of no concern here. */
const nobody: never[] = []

function answerer(
  piece: Piece,
  network: ServedNetwork,
  guests: readonly PortPlan[],
  resolverPort: number,
  settings: HostSettings,
): void {
  const name = `network-${networkTag(network)}`
  const files = filesOf(settings, name)
  const subnets = servedSubnets(network)
  const leases = guests.flatMap((guest) => leaseLines(guest, subnets))
  const texts = {
    leases: settingsText(leases),
    options: settingsText(optionLines(network, subnets, guests)),
    names: settingsText(hostEntries(network, settings)),
  }
  for (const [kind, text] of Object.entries(texts)) piece.file(`${files}.${kind}`, text)
  const domain = networkDomain(network, settings)
  const taken = subnets.filter(({ cidr }) => isTaken(cidr))
  const text = settingsText([
    ...common(files, domain, resolverPort, settings),
    ...taken.flatMap(rangeLines),
    // Whoever has no name is called after the address: host-10-0-0-5.
    ...taken.map(({ cidr }) => `synth-domain=${domain},${cidr},host-`),
    // A lifetime of 0: the routers of the network speak for themselves.
    ...(subnets.some(isAdvertised) ? ['enable-ra', `ra-param=${insideService.network},60,0`] : []),
  ])
  dnsmasq(
    { name, namespace: serviceNamespace(network), text, reads: digestOf(JSON.stringify(texts)), remembers: leases },
    settings,
    piece,
  )
}

function common(files: string, domain: string, resolverPort: number, settings: HostSettings): string[] {
  return [
    `user=${settings.dnsmasqUser}`,
    'bind-dynamic',
    `interface=${insideService.network}`,
    'except-interface=lo',
    'no-resolv',
    'no-hosts',
    `addn-hosts=${files}.names`,
    `server=${uplinkAddresses.host}%${insideService.uplink}#${resolverPort}`,
    'domain-needed',
    'cache-size=1000',
    `domain=${domain}`,
    `local=/${domain}/`,
    `dhcp-hostsfile=${files}.leases`,
    `dhcp-optsfile=${files}.options`,
    // Who has which address is the plan's to say; nothing of it needs to be remembered.
    'leasefile-ro',
    'dhcp-lease-max=65536',
    'dhcp-ignore=tag:!known',
    'dhcp-authoritative',
    'no-ping',
    'quiet-dhcp',
    'quiet-dhcp6',
    'quiet-ra',
  ]
}

function rangeLines(subnet: ServedSubnet): string[] {
  const { cidr, family, tag } = subnet
  const [network, length] = [cidr.split('/')[0]!, prefixLengthOf(cidr)]
  if (family === 4) return [`dhcp-range=set:${tag},${network},static,${netmask(length)},${leaseSeconds}s`]
  switch (modeOf(subnet)) {
    case 'dhcpv6-stateful':
      return [`dhcp-range=set:${tag},${network},static,${length},${leaseSeconds}s`]
    case 'dhcpv6-stateless':
      return [`dhcp-range=set:${tag},${network},ra-stateless,${length},${leaseSeconds}s`]
    case 'slaac':
      return [`dhcp-range=set:${tag},${network},ra-only,${length},${leaseSeconds}s`]
    case null:
      return []
  }
}

function netmask(length: number): string {
  const bits = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')
}

/** By its MAC: its addresses, its name, and the tag of its own options. One address a line, as a client asks in one subnet. */
function leaseLines(port: PortPlan, subnets: readonly ServedSubnet[]): string[] {
  const { mac, addresses, hostname } = port
  const name = hostname && isHostname(hostname) && !isOtherWord(hostname) ? `,${hostname}` : ''
  const given = addresses.filter((address) => {
    const subnet = subnetOf(address, subnets)
    return subnet !== undefined && givesAddresses(subnet)
  })
  const words = given.map((address) => (familyOf(address) === 6 ? `[${address}]` : address))
  // Without an address: it is known, and may ask for what else there is to know.
  return (words.length ? words : ['']).map((word) => `${mac},set:${portTag(port)}${word && `,${word}`}${name}`)
}
