import { familyOf, subnetOf } from '../addresses.js'
import type { PortPlan } from '../plan.js'
import { isOtherWord, portTag, type ServedSubnet } from './served-subnet.js'
import type { ServedNetwork } from './service-link.js'

const metadataAddress = '169.254.169.254'
/** By its number: by its name it is not taken. */
const hostnameOption = 12
/** What subnets name when their guests are to have no nameserver at all. */
const noNameserver = new Set(['0.0.0.0', '::'])

/** What guests are told beside their addresses. Of two lines for one option the later one counts. */
export function optionLines(network: ServedNetwork, subnets: readonly ServedSubnet[], ports: readonly PortPlan[]): string[] {
  return [
    ...subnets.flatMap((subnet) => (subnet.family === 4 ? subnetOptions(network, subnet) : subnetOptionsV6(network, subnet))),
    ...ports.flatMap(portOptions),
  ]
}

function subnetOptions({ service, mtu }: ServedNetwork, subnet: ServedSubnet): string[] {
  const { tag, gateway, hostRoutes, dnsNameservers } = subnet
  const own = service.addresses.find((address) => subnetOf(address, [subnet]))
  const routes = [
    ...(own ? [{ destination: `${metadataAddress}/32`, nexthop: own }] : []),
    ...hostRoutes,
    // Clients that take these routes do not look at the router's option.
    ...(gateway ? [{ destination: '0.0.0.0/0', nexthop: gateway }] : []),
  ]
  const routeWords = routes.map(({ destination, nexthop }) => `,${destination},${nexthop}`).join('')
  return [
    `tag:${tag},option:router${gateway ? `,${gateway}` : ''}`,
    ...(routes.length ? [`tag:${tag},option:classless-static-route${routeWords}`, `tag:${tag},249${routeWords}`] : []),
    `tag:${tag},option:dns-server${list(nameservers(own, dnsNameservers, 4))}`,
    `tag:${tag},option:mtu,${mtu}`,
  ]
}

function subnetOptionsV6({ service }: ServedNetwork, subnet: ServedSubnet): string[] {
  const own = service.addresses.find((address) => subnetOf(address, [subnet]))
  const servers = nameservers(own, subnet.dnsNameservers, 6)
  // Where none is named, dnsmasq names itself.
  if (servers.length === 0 && !subnet.dnsNameservers.some((server) => noNameserver.has(server))) return []
  return [`tag:${subnet.tag},option6:dns-server${list(servers.map((server) => `[${server}]`))}`]
}

/**
 * First the one that knows the network's names and asks the subnet's for the rest; then those themselves, who answer while
 * it does not, and whom it may be unable to reach.
 */
function nameservers(own: string | undefined, given: readonly string[], family: 4 | 6): string[] {
  const ofFamily = given.filter((server) => familyOf(server) === family)
  if (ofFamily.some((server) => noNameserver.has(server))) return []
  return [...(own ? [own] : []), ...ofFamily]
}

const list = (words: readonly string[]) => words.map((word) => `,${word}`).join('')

function portOptions(port: PortPlan): string[] {
  const { hostname, extraDhcpOptions } = port
  const own = extraDhcpOptions.filter(isPlain).map(({ name, value, ipVersion }) => {
    const isNumber = /^\d+$/.test(name)
    const option = ipVersion === 6 ? `option6:${name}` : isNumber ? name : `option:${name}`
    return `${option},${value}`
  })
  // All others are told their names beside their addresses.
  const name = hostname && isOtherWord(hostname) ? [`${hostnameOption},${hostname}`] : []
  return [...name, ...own].map((option) => `tag:${portTag(port)},${option}`)
}

/** A tenant's words: one line, and no more than a name and its value. */
const isPlain = ({ name, value }: PortPlan['extraDhcpOptions'][number]) =>
  // eslint-disable-next-line no-control-regex -- control characters are what is kept out
  /^[a-z0-9-]+$/.test(name) && value.length <= 255 && !/[\u0000-\u001f\u007f]/.test(value)
