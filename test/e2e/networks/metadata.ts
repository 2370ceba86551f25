import { expect, it } from '@jest/globals'
import { minutes } from '../../support/network-checks.js'
import type { Guest, NetworkStage } from '../../support/network-stage.js'

const ask = (header = '') => `timeout 10 wget -q -O - ${header} http://169.254.169.254/openstack/latest/meta_data.json`

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
    3 * minutes,
  )

  it(
    "on a shared network, without port security, another tenant's address gains nothing, nor does one that no server has",
    async () => {
      const { admin, demo, one, stranger } = stage()
      const network = await stage().make(demo, 'networks', { name: 'shared' })
      await stage().make(demo, 'subnets', { network_id: network, ip_version: 4, cidr: '10.77.0.0/24', gateway_ip: null })
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
    5 * minutes,
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
