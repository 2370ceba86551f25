import { expect, it } from '@jest/globals'
import { eventually, minutes } from '../../support/network-checks.js'
import type { Guest, NetworkStage } from '../../support/network-stage.js'
import { NovaClient } from '../../support/nova-client.js'

const wget = (path: string, options = '') => `timeout 10 wget -q -O - ${options} http://169.254.169.254/${path}`
const ask = (header = '') => wget('openstack/latest/meta_data.json', header)

/** Who a caller of the metadata service is. */
export function metadata(stage: () => NetworkStage): void {
  it(
    'a guest gets what is its own from the metadata service, whatever it says of itself',
    async () => {
      const { one, two, stranger } = stage()
      for (const header of ['', `--header "X-Forwarded-For: ${two.address}"`, `--header "X-Instance-ID: ${two.id}"`]) {
        const { output } = await one.shell.run(ask(header))
        expect(JSON.parse(output)).toMatchObject({ uuid: one.id, name: 'one' })
      }
      expect(JSON.parse((await stranger.shell.run(ask())).output)).toMatchObject({ uuid: stranger.id })
    },
    10 * minutes,
  )

  it(
    "on a shared network, without port security, another tenant's address gains nothing, nor does one that no server has",
    async () => {
      const { admin, demo, one, stranger } = stage()
      const network = await stage().make(demo, 'networks', { name: 'shared' })
      // What is given out by chance is above the address that is asked for by name.
      const allocation_pools = [{ start: '10.77.0.128', end: '10.77.0.254' }]
      const subnet = { network_id: network, ip_version: 4, cidr: '10.77.0.0/24', gateway_ip: null, allocation_pools }
      await stage().make(demo, 'subnets', subnet)
      const [{ project_id: target_tenant }] = (await stage().list(stranger.client, 'networks', '?name=private')) as [
        { project_id: string; id: string },
      ]
      const share = { object_type: 'network', object_id: network, action: 'access_as_shared', target_tenant }
      await stage().make(demo, 'rbac-policies', share)
      const open = { network_id: network, project_id: target_tenant, port_security_enabled: false, security_groups: [] }
      const port = await stage().make(admin, 'ports', open)
      const [mine, theirs] = await Promise.all([
        stage().attach(one, { net_id: network }),
        stage().attach(stranger, { port_id: port }),
      ])
      const unused = await stage().make(demo, 'ports', { network_id: network, fixed_ips: [{ ip_address: '10.77.0.99' }] })
      expect(await answersAs(one, mine.link, mine.addresses[0]!)).toMatchObject({ uuid: one.id })
      expect(await answersAs(stranger, theirs.link, theirs.addresses[0]!)).toMatchObject({ uuid: stranger.id })
      for (const address of [mine.addresses[0]!, '10.77.0.99']) {
        const claimed = await answersAs(stranger, theirs.link, address)
        expect([address, claimed]).toEqual([address, undefined])
      }
      await stage().remove(demo, `/ports/${unused}`)
      await Promise.all([stage().detach(one, mine.portId), stage().detach(stranger, theirs.portId)])
      await stage().remove(admin, `/ports/${port}`)
    },
    10 * minutes,
  )

  it(
    'a guest is told under which address it is known outside, as long as it is',
    async () => {
      const { demo, two } = stage()
      const known = async () => (await two.shell.run(wget('latest/meta-data/public-ipv4'))).output
      const leads = async (port_id: string | null) =>
        await stage().change(demo, `/floatingips/${id}`, { floatingip: { port_id } })
      expect(await known()).toBe('')
      const [external] = await stage().list(demo, 'networks', '?name=external')
      const id = await stage().make(demo, 'floatingips', { floating_network_id: external!.id })
      const [{ floating_ip_address: address }] = (await stage().list(demo, 'floatingips', `?id=${id}`)) as [
        { id: string; floating_ip_address: string },
      ]
      await leads((await stage().portOf(two)).id)
      await eventually('it is told', async () => (await known()) === address)
      await leads(null)
      await eventually('it is told no more', async () => (await known()) === '')
      await stage().remove(demo, `/floatingips/${id}`)
    },
    10 * minutes,
  )

  it(
    "a password that a guest sets is its owner's to read and to clear, and the guest's to set once",
    async () => {
      const { one, two, stranger } = stage()
      const nova = await NovaClient.of(stage().cloud.cloudsFile, 'nubo')
      const path = 'openstack/latest/password'
      const set = (guest: Guest, password: string) => guest.shell.run(wget(path, `--post-data ${password}`))
      const own = async (guest: Guest) => (await guest.shell.run(wget(path))).output
      expect((await set(one, 'sealed')).code).toBe(0)
      await eventually('its owner reads it', async () => (await nova.run('get-password', one.id)) === 'sealed')
      expect(await set(one, 'again')).toMatchObject({ code: 1, output: expect.stringContaining('409') })
      expect([await own(one), await own(two), await own(stranger)]).toEqual(['sealed', '', ''])
      expect((await stranger.client.compute('GET', `/servers/${one.id}/os-server-password`)).status).toBe(404)
      await nova.run('clear-password', one.id)
      expect(await nova.run('get-password', one.id)).toBe('')
      await eventually('the guest knows of none', async () => (await own(one)) === '')
      expect((await set(one, 'another')).code).toBe(0)
      await eventually('its owner reads the other', async () => (await nova.run('get-password', one.id)) === 'another')
    },
    10 * minutes,
  )

  /** What the service tells a guest that bears this address on this link. */
  async function answersAs(guest: Guest, link: string, address: string): Promise<{ uuid: string } | undefined> {
    const [network] = await stage().list(stage().demo, 'networks', '?name=shared')
    const [service] = await stage().list(stage().demo, 'ports', `?device_owner=network:dhcp&network_id=${network!.id}`)
    const [{ ip_address: server }] = service!['fixed_ips'] as [{ ip_address: string }]
    await guest.shell.run(`ip -4 address flush dev ${link}; ip address add ${address}/24 dev ${link}
ip route replace 169.254.169.254 via ${server} dev ${link} src ${address}`)
    const { code, output } = await guest.shell.run(ask())
    return code === 0 ? (JSON.parse(output) as { uuid: string }) : undefined
  }
}
