import { beforeAll, describe, expect, it } from '@jest/globals'
import { frames } from '@nubo/host-network/testing'
import { inBackground } from '../../support/guest-shell.js'
import { askForLease6, hearFrames, sendFrames } from '../../support/guest-tools.js'
import { eventually, linkOf, minutes, pings } from '../../support/network-checks.js'
import type { Guest, NetworkStage, Plugged } from '../../support/network-stage.js'

/** Networks of IPv6, plugged into guests that run. */
export function interfaces(stage: () => NetworkStage): void {
  /** By the mode of their subnet; the first has IPv4 too. */
  const ids = new Map<Mode, string>()
  const plugged = new Map<string, Plugged>()
  const of = (guest: Guest, mode: Mode) => plugged.get(`${guest.name} ${mode}`)!
  const six = ({ addresses }: Plugged) => addresses.find((address) => address.includes(':'))!

  beforeAll(async () => {
    const { demo, one, two } = stage()
    const [external] = await stage().list(demo, 'networks', '?name=external')
    const router = await stage().make(demo, 'routers', { name: 'six', external_gateway_info: { network_id: external!.id } })
    for (const [index, mode] of modes.entries()) {
      const network_id = await stage().make(demo, 'networks', { name: mode, mtu: 1_400 })
      ids.set(mode, network_id)
      const cidr = `fd00:${66 + index}::/64`
      const modeOfSubnet = { ipv6_ra_mode: mode, ipv6_address_mode: mode }
      const dns = { dns_nameservers: ['2620:fe::fe'] }
      const subnets = [await stage().make(demo, 'subnets', { network_id, ip_version: 6, cidr, ...modeOfSubnet, ...dns })]
      if (mode === 'slaac') subnets.push(await stage().make(demo, 'subnets', { network_id, ip_version: 4, ...fourth }))
      for (const subnet_id of subnets) await stage().change(demo, `/routers/${router}/add_router_interface`, { subnet_id })
    }
    await Promise.all(
      [one, two].map(async (guest) => {
        for (const mode of modes) {
          const portId = await stage().askToAttach(guest, { net_id: ids.get(mode) })
          plugged.set(`${guest.name} ${mode}`, await stage().whenPlugged(guest, portId))
        }
      }),
    )
  }, 5 * minutes)

  describe('an interface that is plugged into a guest that runs', () => {
    it(
      'has its IPv4 address, its MTU, its nameserver and its routes, and reaches the other host',
      async () => {
        const { one, two } = stage()
        const { link } = of(one, 'slaac')
        expect((await one.shell.run(`cat /sys/class/net/${link}/mtu`)).output).toBe('1400')
        const { output } = await one.shell.run(`ip route show dev ${link}; cat /run/dhcp/${link}.resolv`)
        expect(output).toMatch(/198\.51\.100\.0\/24 via 10\.66\.0\.77 /)
        expect(output).toMatch(/default via 10\.66\.0\.1 /)
        expect(output).toContain('nameserver 9.9.9.9')
        expect(
          await pings(
            one,
            of(two, 'slaac').addresses.find((address) => address.includes('.'))!,
            '-s 1372',
          ),
        ).toBe(true)
      },
      10 * minutes,
    )

    it(
      'gives itself the address that the cloud shows, where that follows from what is advertised',
      async () => {
        const { one, two } = stage()
        for (const mode of ['slaac', 'dhcpv6-stateless'] as const) {
          for (const guest of [one, two]) await hasAddress(guest, of(guest, mode), 64)
          expect(await pings(one, six(of(two, mode)), '-6 -s 1352')).toBe(true)
        }
      },
      10 * minutes,
    )

    it(
      'gets its address by DHCPv6 where its subnet says so, and not without asking',
      async () => {
        const { one, two } = stage()
        for (const guest of [one, two]) {
          const mine = of(guest, 'dhcpv6-stateful')
          expect((await guest.shell.run(`ip -6 address show dev ${mine.link} scope global`)).output).toBe('')
          const { output } = await guest.shell.run(askForLease6(mine.link, 'address'))
          expect(output).toContain(`new_ip6_address=${six(mine)}`)
          expect(output).toMatch(/new_dhcp6_name_servers=fd00:67::\S* 2620:fe::fe/)
          await hasAddress(guest, mine, 128)
        }
        expect(await pings(one, six(of(two, 'dhcpv6-stateful')), '-6 -s 1352')).toBe(true)
      },
      10 * minutes,
    )

    it(
      'is told of nameservers by DHCPv6 where only that is asked for',
      async () => {
        const { one } = stage()
        const { output } = await one.shell.run(askForLease6(of(one, 'dhcpv6-stateless').link, 'options'))
        expect(output).toMatch(/new_dhcp6_name_servers=fd00:68::\S* 2620:fe::fe/)
        expect(output).not.toContain('new_ip6_address')
      },
      10 * minutes,
    )

    it(
      'is told its MTU and nameservers by advertisements, and its way out by its router alone',
      async () => {
        const { one } = stage()
        const { link, mac } = of(one, 'slaac')
        const local = (
          await one.shell.run(`ip -6 address show dev ${link} scope link | sed -n 's/.*inet6 \\(.*\\)\\/64.*/\\1/p'`)
        ).output
        const ask = frames.routerSolicitation({ from: mac, to: '33:33:00:00:00:02' }, { from: local, to: 'ff02::2' })
        // Option 25 names nameservers (RFC 8106): who has one in it is the network's own service.
        await one.shell.run(inBackground(`${hearFrames(link, '262000fe0000000000000000000000fe')} > /tmp/advertised`))
        const told = await eventually('the network’s service advertises', async () => {
          await one.shell.run(sendFrames(link, ask))
          const { output } = await one.shell.run('cat /tmp/advertised')
          return output.includes('262000fe0000000000000000000000fe') && output
        })
        expect(told.split('\n').at(-1)).toContain(`0501${'0000'}${(1_400).toString(16).padStart(8, '0')}`)
        const { output } = await one.shell.run(`ip -6 route show default dev ${link}`)
        expect(output.trim().split('\n')).toHaveLength(1)
        expect(output).toMatch(/^default via fe80::/)
        expect((await one.shell.run(`cat /proc/sys/net/ipv6/conf/${link}/mtu`)).output).toBe('1400')
      },
      10 * minutes,
    )

    it(
      'finds names of its network over IPv6, and other networks by its router',
      async () => {
        const { one, two, three } = stage()
        const [service] = await stage().list(stage().demo, 'ports', `?device_owner=network:dhcp&network_id=${ids.get('slaac')}`)
        const addresses = (service!['fixed_ips'] as { ip_address: string }[]).map(({ ip_address: address }) => address)
        const server = addresses.find((address) => address.includes(':'))!
        const { output } = await one.shell.run(`nslookup -type=aaaa ${two.name} ${server}`)
        expect(output).toContain(six(of(two, 'slaac')))
        // Who has no other way back than the router.
        const far = await stage().attach(three, { net_id: ids.get('dhcpv6-stateless') })
        await hasAddress(three, far, 64)
        const { link } = of(one, 'slaac')
        const gateway = (await one.shell.run(`ip -6 route show default dev ${link} | sed -n 's/.*via \\(fe80[^ ]*\\).*/\\1/p'`))
          .output
        await one.shell.run(`ip -6 route add ${six(far)}/128 via ${gateway} dev ${link}`)
        expect(await pings(one, six(far), `-6 -I ${six(of(one, 'slaac'))}`)).toBe(true)
        await stage().detach(three, far.portId)
      },
      10 * minutes,
    )
  })

  describe('an interface that is taken off a guest that runs', () => {
    it(
      'is gone from it before its address is given to anybody, though the agent is killed meanwhile',
      async () => {
        const { one, demo } = stage()
        const { portId, addresses, mac } = of(one, 'dhcpv6-stateful')
        const [wanted] = addresses
        await stage().askToDetach(one, portId)
        await stage().kill(one.host, 'node')
        const next = await eventually('its address is free', async () => {
          const fixed_ips = [{ ip_address: wanted }]
          const port = { network_id: ids.get('dhcpv6-stateful'), fixed_ips }
          const answer = await stage().network(demo, 'POST', '/ports', { port })
          expect([201, 409]).toContain(answer.status)
          return answer.status === 201 && answer.body['port']!.id
        })
        expect(await linkOf(one, { mac_address: mac })).toBeUndefined()
        expect(await stage().onHost(one.host, 'ip', '-json', 'link')).not.toContain(
          `nut${portId.replaceAll('-', '').slice(0, 11)}`,
        )
        expect(await stage().interfacesOf(one)).not.toContain(portId)
        await stage().remove(demo, `/ports/${next}`)
      },
      10 * minutes,
    )

    it(
      'comes back with a port of its tenant’s, though the agent is killed meanwhile, and leaves the port to the tenant',
      async () => {
        const { one, two, demo } = stage()
        const port = await stage().make(demo, 'ports', { network_id: ids.get('dhcpv6-stateful') })
        await stage().askToAttach(one, { port_id: port })
        await stage().kill(one.host, 'node')
        const again = await stage().whenPlugged(one, port)
        // It asks when it knows that nobody else has the address that it asks from.
        await eventually('it has its lease', async () => {
          const { output } = await one.shell.run(askForLease6(again.link, 'address'))
          return output.includes(`new_ip6_address=${six(again)}`)
        })
        expect(await pings(one, six(of(two, 'dhcpv6-stateful')), '-6')).toBe(true)
        await stage().detach(one, port)
        const left = await eventually('its host has let go of it', async () => {
          const [found] = await stage().list(demo, 'ports', `?id=${port}`)
          return found!['status'] === 'DOWN' && found
        })
        expect(left).toMatchObject({ device_id: '', device_owner: '' })
        await stage().remove(demo, `/ports/${port}`)
      },
      10 * minutes,
    )
  })

  /** Until it has: a guest asks whether anybody else has the address first. */
  async function hasAddress(guest: Guest, mine: Plugged, length: number): Promise<void> {
    await eventually(`${guest.name} has ${six(mine)}`, async () => {
      const { output } = await guest.shell.run(`ip -6 address show dev ${mine.link}`)
      return output.includes(`inet6 ${six(mine)}/${length}`) && !output.includes('tentative')
    })
  }
}

const modes = ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'] as const
type Mode = (typeof modes)[number]

const fourth = {
  cidr: '10.66.0.0/24',
  // No guest is given the address by which a route leads.
  allocation_pools: [{ start: '10.66.0.128', end: '10.66.0.254' }],
  dns_nameservers: ['9.9.9.9'],
  host_routes: [{ destination: '198.51.100.0/24', nexthop: '10.66.0.77' }],
}
