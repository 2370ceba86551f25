import { describe, expect, it } from '@jest/globals'
import type { NetworkId, PortId } from '@nubo/kernel'
import { networkDataOf } from './network-data.js'
import type { GuestAddress, GuestPort } from './records.js'

const ipv4: GuestAddress = {
  address: '10.0.0.5',
  ipVersion: 4,
  netmask: '255.255.255.0',
  gateway: '10.0.0.1',
  dhcp: false,
  addressMode: null,
  dnsNameservers: ['192.0.2.53'],
  routes: [{ network: '198.51.100.0', netmask: '255.255.255.0', gateway: '10.0.0.254' }],
}
const ipv6: GuestAddress = {
  ...ipv4,
  ...{ address: 'fd00::5', ipVersion: 6, netmask: 'ffff:ffff:ffff:ffff::', gateway: 'fd00::1' },
  ...{ addressMode: 'slaac', dhcp: true, routes: [] },
}

function port(...addresses: GuestAddress[]): GuestPort {
  const [portId, networkId] = ['2f1f4e7c-9a01-4e1c-8d5f-0c6f6a1b2c3d' as PortId, 'n-1' as NetworkId]
  return { portId, networkId, mac: 'fa:16:3e:00:00:01', mtu: 1450, tag: null, addresses }
}

const link = {
  ...{ id: 'tap2f1f4e7c-9a', vif_id: '2f1f4e7c-9a01-4e1c-8d5f-0c6f6a1b2c3d', type: 'bridge' },
  ethernet_mac_address: 'fa:16:3e:00:00:01',
}
const dns = { type: 'dns', address: '192.0.2.53' }

describe('network_data.json', () => {
  it('holds all that a guest must set by itself where there is no DHCP', () => {
    expect(networkDataOf([port(ipv4)])).toEqual({
      links: [{ ...link, mtu: 1450 }],
      networks: [
        {
          ...{ id: 'network0', link: link.id, network_id: 'n-1', type: 'ipv4' },
          ...{ ip_address: '10.0.0.5', netmask: '255.255.255.0' },
          routes: [{ network: '0.0.0.0', netmask: '0.0.0.0', gateway: '10.0.0.1' }, ...ipv4.routes],
          services: [dns],
        },
      ],
      services: [dns],
    })
  })

  it('says of an address that DHCP gives out only that it does', () => {
    expect(networkDataOf([port({ ...ipv4, dhcp: true })])).toEqual({
      links: [{ ...link, mtu: null }],
      networks: [{ id: 'network0', link: link.id, network_id: 'n-1', type: 'ipv4_dhcp' }],
      services: [dns],
    })
  })

  it('counts the networks over all interfaces, says how IPv6 is given out, and names a name server once', () => {
    const data = networkDataOf([port({ ...ipv4, dhcp: true }, ipv6), port(ipv4)])
    expect(data.networks).toMatchObject([
      { id: 'network0', type: 'ipv4_dhcp' },
      {
        id: 'network1',
        type: 'ipv6_slaac',
        ip_address: 'fd00::5',
        routes: [{ network: '::', netmask: '::', gateway: 'fd00::1' }],
      },
      { id: 'network2', type: 'ipv4' },
    ])
    expect(data.services).toEqual([dns])
  })

  it('passes over interfaces without addresses', () => {
    expect(networkDataOf([port()])).toEqual({ links: [], networks: [], services: [] })
    expect(networkDataOf([])).toEqual({ links: [], networks: [], services: [] })
  })
})
