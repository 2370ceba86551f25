import { assert, isUuid, type PortId } from '@nubo/kernel'
import type { GuestNic } from '../guest-definition.js'
import { element, type XmlElement } from './element.js'
import { descend, type ParsedElement } from './parse.js'

const macPattern = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/
/** What Linux takes (IFNAMSIZ), without what would mean something elsewhere. */
const devicePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,14}$/
/** libvirt keeps aliases that callers choose apart from its own by this prefix. */
const aliasPrefix = 'ua-'

/** The name under which libvirt's events and calls know a guest's interface. */
export function nicAlias(portId: PortId): string {
  return `${aliasPrefix}${portId}`
}

/**
 * libvirt's description of a network interface (formatdomain, "Bridge to LAN"). It names no filter: what may pass is not for
 * libvirt to know. libvirt makes the tap and plugs it into the bridge, and QEMU's user gets it open.
 */
export function nicElement(nic: GuestNic, virtType: 'kvm' | 'qemu' | 'test'): XmlElement {
  check(nic)
  return element(
    'interface',
    { type: 'bridge' },
    element('mac', { address: nic.mac }),
    element('source', { bridge: nic.bridge }),
    element('target', { dev: nic.device }),
    element('model', { type: 'virtio' }),
    // An emulated guest gains nothing from vhost, which costs a kernel thread each; under KVM libvirt takes it where it is.
    virtType === 'qemu' && element('driver', { name: 'qemu' }),
    element('mtu', { size: nic.mtu }),
    element('alias', { name: nicAlias(nic.portId) }),
    // Guests start from their disks: the card's own boot code would only ask the network first.
    element('rom', { enabled: 'no' }),
  )
}

/** The interfaces in a domain's description that are ours, in their order. */
export function readNics(domain: ParsedElement): GuestNic[] {
  const interfaces = descend(domain, 'devices')?.children.filter(({ name }) => name === 'interface') ?? []
  return interfaces.flatMap((parsed) => {
    const of = (child: string, attribute: string) => descend(parsed, child)?.attributes[attribute] ?? ''
    const portId = of('alias', 'name').slice(aliasPrefix.length)
    if (!of('alias', 'name').startsWith(aliasPrefix) || !isUuid(portId)) return []
    const [mac, bridge, device] = [of('mac', 'address'), of('source', 'bridge'), of('target', 'dev')]
    return { portId: portId as PortId, mac, bridge, device, mtu: Number(of('mtu', 'size')) }
  })
}

function check({ portId, mac, mtu, bridge, device }: GuestNic): void {
  assert(isUuid(portId), 'a port id is a UUID')
  assert(macPattern.test(mac), `'${mac}' is a MAC address`)
  assert(Number.isInteger(mtu) && mtu >= 68 && mtu <= 65_535, `${mtu} is an MTU`)
  for (const name of [bridge, device]) assert(devicePattern.test(name), `'${name}' can be the name of a network device`)
}
