import { expect, it } from '@jest/globals'
import { programOf } from '../program-of.js'
import { routerOf, testSettings } from '../testing/plans.js'
import { planOf, servedNetwork, subnetOf } from '../testing/served-networks.js'

const stateful = { gateway: null, raMode: 'dhcpv6-stateful', addressMode: 'dhcpv6-stateful' } as const

function rangesOf(...cidrs: string[]): string[] {
  const network = servedNetwork(5, { subnets: [subnetOf(), ...cidrs.map((cidr) => subnetOf({ ...stateful, cidr }))] })
  const { files } = programOf(planOf([network], []), testSettings)
  const settings = files.get(`${testSettings.directory}/dnsmasq/network-5.conf`)!
  return settings.split('\n').filter((line) => line.startsWith('dhcp-range='))
}

it('advertises no such prefix either', () => {
  const network = servedNetwork(5)
  const advertised = ['fd00:10::/56', 'fd00:20::/64'].map((prefix) => ({ prefix, mode: 'dhcpv6-stateful' as const }))
  const made = routerOf(1, [{ network, addresses: ['fd00:20::1/64'] }])
  const router = { ...made, interfaces: made.interfaces.map((port) => ({ ...port, advertised })) }
  const { files } = programOf({ ...planOf([network], []), routers: [router] }, testSettings)
  const settings = files.get(`${testSettings.directory}/dnsmasq/router-00000001.conf`)!
  expect(settings.split('\n').filter((line) => line.startsWith('dhcp-range='))).toEqual(['dhcp-range=fd00:20::,static,64'])
})

it('gives no addresses of a prefix that dnsmasq does not take, and all others', () => {
  expect(rangesOf('fd00:10::/56', 'fd00:20::/64', 'fd00:30::/112')).toEqual([
    'dhcp-range=set:s0,10.0.0.0,static,255.255.255.0,86400s',
    'dhcp-range=set:s2,fd00:20::,static,64,86400s',
    'dhcp-range=set:s3,fd00:30::,static,112,86400s',
  ])
})
