/** What a port is for, as Neutron names it (neutron_lib/constants.py). */
export const deviceOwners = {
  routerInterface: 'network:router_interface',
  routerGateway: 'network:router_gateway',
  floatingIp: 'network:floatingip',
  dhcp: 'network:dhcp',
} as const

/** Of guests: `compute:` and the name of the zone. */
export const computeOwnerPrefix = 'compute:'

export function isRouterInterface(deviceOwner: string): boolean {
  return deviceOwner === deviceOwners.routerInterface
}

/** Ports that a router has, on whichever side. */
export function isRouterPort(deviceOwner: string): boolean {
  return isRouterInterface(deviceOwner) || deviceOwner === deviceOwners.routerGateway
}
