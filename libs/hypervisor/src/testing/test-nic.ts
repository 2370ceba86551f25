import { newId, systemRandom, type PortId } from '@nubo/kernel'
import type { GuestNic } from '../guest-definition.js'

/** An interface like no other, on this bridge. */
export function testNic(bridge = 'br-test'): GuestNic {
  const portId = newId<PortId>(systemRandom)
  const tail = systemRandom.bytes(3).toString('hex')
  return { portId, mac: `fa:16:3e:${tail.match(/../g)!.join(':')}`, mtu: 1450, bridge, device: `tap${tail}` }
}
