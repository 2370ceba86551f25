import { familyOf } from '../addresses.js'
import { hostNamespace } from '../engine/objects.js'
import type { Piece } from '../engine/piece.js'
import type { Part } from '../part.js'
import type { HostSettings } from '../settings.js'

/**
 * Frames of our VXLANs are taken from hosts alone that carry such a network. Whoever else reaches this host's address on the
 * underlay (a guest, by its router and the outside) would otherwise speak in any tenant's network as anybody.
 */
export const underlay: Part = ({ networks }, settings, program) => {
  const vnis = networks.flatMap(({ segment }) => (segment.kind === 'vxlan' ? [segment.vni] : []))
  if (vnis.length === 0) return
  const hosts = new Set(networks.flatMap(({ neighbours }) => neighbours.map(({ host }) => host)))
  program.piece('underlay', guardUnderlay, vnis.toSorted(), [...hosts].toSorted(), settings)
}

function guardUnderlay(piece: Piece, vnis: readonly number[], hosts: readonly string[], settings: HostSettings): void {
  const family = familyOf(settings.underlayAddress)
  const field = family === 4 ? 'ip saddr' : 'ip6 saddr'
  const others = hosts.length === 0 ? '' : ` ${field} != { ${hosts.join(', ')} }`
  piece
    .table(hostNamespace, 'inet', 'nubo_underlay')
    .chain('input', { type: 'filter', hook: 'input', priority: -10, policy: 'accept' })
    // VXLANs of others may have the same port: the number of a network stands behind the first 12 bytes (RFC 7348, 5).
    .rule(`udp dport ${settings.vxlanPort} @th,96,24 { ${vnis.join(', ')} }${others} drop`)
}
