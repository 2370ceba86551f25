import { prefixLengthOf } from '../addresses.js'
import type { Piece } from '../engine/piece.js'
import { insideRouter, routerNamespace } from '../names.js'
import type { Ipv6Mode, RouterPlan } from '../plan.js'
import type { HostSettings } from '../settings.js'
import { dnsmasq, isTaken, settingsText } from '../wire/dnsmasq.js'

const intervalSeconds = 60
const lifetimeSeconds = 1_800

/** Tells guests of its IPv6 networks that it is the way out. Who gives out their addresses is not its business. */
export function advertise(piece: Piece, router: RouterPlan, settings: HostSettings): void {
  const speaking = router.interfaces.filter(({ advertised }) => advertised.length > 0)
  if (speaking.length === 0) return
  const name = routerNamespace(router.routerId).replace(/^nurt/, 'router-')
  const text = settingsText([
    `user=${settings.dnsmasqUser}`,
    'port=0',
    'bind-dynamic',
    'leasefile-ro',
    'quiet-dhcp6',
    'quiet-ra',
    'enable-ra',
    // Of nameservers the network's own service tells.
    'dhcp-option=option6:dns-server',
    ...speaking.flatMap(({ portId, advertised }) => [
      `interface=${insideRouter.port(portId)}`,
      `ra-param=${insideRouter.port(portId)},${intervalSeconds},${lifetimeSeconds}`,
      ...advertised.filter(({ prefix }) => isTaken(prefix)).map(({ prefix, mode }) => rangeLine(prefix, mode)),
    ]),
  ])
  dnsmasq({ name, namespace: routerNamespace(router.routerId), text, reads: '', remembers: [] }, settings, piece)
}

/** With `static` dnsmasq advertises that addresses are given out; that it has none to give nobody hears, as its port is shut. */
function rangeLine(cidr: string, mode: Ipv6Mode): string {
  const [network, length] = [cidr.split('/')[0]!, prefixLengthOf(cidr)]
  const kind = { slaac: 'ra-only', 'dhcpv6-stateless': 'ra-stateless', 'dhcpv6-stateful': 'static' }[mode]
  return `dhcp-range=${network},${kind},${length}`
}
