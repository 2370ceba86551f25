import { expect, it } from '@jest/globals'
import { eventually, greeting, minutes, pings } from '../../support/network-checks.js'
import type { NetworkStage } from '../../support/network-stage.js'
import { homeOf } from './routers.js'

/** What goes on, and what comes back. */
export function outages(stage: () => NetworkStage): void {
  it(
    'traffic goes on while agents, dnsmasq and libvirt are killed, and addresses are given out again',
    async () => {
      const { one, two } = stage()
      const going = one.shell.run(`ping -c 30 ${two.address}`, 2 * minutes)
      for (const host of [one.host, two.host]) await stage().kill(host, 'dnsmasq', 'libvirtd', 'node')
      expect((await going).output).toMatch(/30 packets transmitted, (29|30) packets received/)
      const lease = 'udhcpc -i eth0 -n -q -t 3 -T 3 -f'
      await eventually('DHCP is back', async () => (await one.shell.run(lease)).code === 0)
    },
    10 * minutes,
  )

  it(
    'a router of a host that died has another one when that host is fenced; the host is as it should be when it is back',
    async () => {
      const { admin, demo, one, two, three, cloud } = stage()
      const [router] = await stage().list(demo, 'routers', '?name=private')
      const home = await homeOf(stage(), router!.id)
      const survivor = [one, two, three].find(({ host }) => host !== home)!
      const [ours] = await stage().list(demo, 'floatingips', `?port_id=${(await stage().portOf(one)).id}`)
      const change = { floatingip: { port_id: (await stage().portOf(survivor)).id } }
      await stage().change(demo, `/floatingips/${ours!.id}`, change)
      process.kill(await stage().firstProcessOf(home), 'SIGKILL')
      const hostId = await idOfHost(home)
      expect((await admin.call('POST', `${admin.apiUrl}/nubo/v1/hosts/${hostId}/fence`, {})).status).toBe(200)
      const address = String(ours!['floating_ip_address'])
      await eventually('it has another home', async () => (await homeOf(stage(), router!.id)) === survivor.host)
      await eventually('it leads to who lives on', async () => (await greeting(address, 8080)) === survivor.name)
      expect(await pings(survivor, await stage().outside())).toBe(true)
      // An operator's word that the host may come back, and the power.
      expect((await admin.call('POST', `${admin.apiUrl}/nubo/v1/hosts/${hostId}/release`, {})).status).toBe(200)
      await cloud.command('up')
      await eventually('the host is back without the router', async () => {
        type Host = { host: { state: string } }
        const { body } = await admin.call<Host>('GET', `${admin.apiUrl}/nubo/v1/hosts/${hostId}`)
        return body.host.state === 'up'
      })
      expect(await stage().onHost(home, 'ip', 'netns')).not.toContain(`nurt${router!.id.slice(0, 8)}`)
    },
    10 * minutes,
  )

  async function idOfHost(name: string): Promise<string> {
    const { admin } = stage()
    type Hosts = { hosts: { id: string; name: string }[] }
    const { body } = await admin.call<Hosts>('GET', `${admin.apiUrl}/nubo/v1/hosts`)
    return body.hosts.find((host) => host.name === name)!.id
  }

  it(
    'when everything is deleted the hosts are as they were before the first network',
    async () => {
      const { admin } = stage()
      for (const { shell } of stage().guests) shell.close()
      const servers = await admin.compute<{ servers: { id: string }[] }>('GET', '/servers?all_tenants=1')
      for (const { id } of servers.body.servers) await admin.compute('DELETE', `/servers/${id}`)
      await eventually('the servers are gone', async () => {
        const left = await admin.compute<{ servers: unknown[] }>('GET', '/servers?all_tenants=1')
        return left.body.servers.length === 0
      })
      for (const { id } of await stage().list(admin, 'floatingips')) await stage().remove(admin, `/floatingips/${id}`)
      for (const router of await stage().list(admin, 'routers')) {
        for (const port of await stage().list(admin, 'ports', `?device_id=${router.id}&device_owner=network:router_interface`))
          await stage().change(admin, `/routers/${router.id}/remove_router_interface`, { port_id: port.id })
        await stage().remove(admin, `/routers/${router.id}`)
      }
      for (const { id } of await stage().list(admin, 'networks'))
        await eventually(
          'the network can be deleted',
          async () => (await stage().network(admin, 'DELETE', `/networks/${id}`)).status === 204,
        )
      for (const host of ['host-1', 'host-2']) {
        await eventually(`${host} has no links of networks left`, async () => {
          const links = JSON.parse(await stage().onHost(host, 'ip', '-json', 'link')) as { ifname: string }[]
          return links.every(({ ifname }) => ['lo', 'u0', 'x0'].includes(ifname))
        })
        expect((await stage().onHost(host, 'ip', 'netns')).trim()).toBe('')
        expect(await stage().onHost(host, 'nft', 'list', 'ruleset')).not.toMatch(/nu(br|vx|dh|rt|t[0-9a-f])/)
        expect(await stage().processesOf(host, ['dnsmasq'])).toEqual([])
      }
    },
    10 * minutes,
  )
}
