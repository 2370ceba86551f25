import { beforeAll, expect, it } from '@jest/globals'
import { inBackground } from '../../support/guest-shell.js'
import { accepts, eventually, greeting, minutes, pings } from '../../support/network-checks.js'
import type { Guest, NetworkStage } from '../../support/network-stage.js'
import type { CloudClient } from '../../support/client.js'

const port = 8080
const letIn = { direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp', port_range_min: port, port_range_max: port }

const leadsTo = (address: string, name: string) =>
  eventually(`${address} leads to ${name}`, async () => (await greeting(address, port)) === name)

async function externalOf(stage: NetworkStage): Promise<string> {
  const [network] = await stage.list(stage.demo, 'networks', '?name=external')
  return network!.id
}

/** Gives the floating IP and its address. */
async function floating(stage: NetworkStage, client: CloudClient, port_id: string): Promise<{ id: string; address: string }> {
  const id = await stage.make(client, 'floatingips', { floating_network_id: await externalOf(stage), port_id })
  const [made] = await stage.list(client, 'floatingips', `?id=${id}`)
  return { id, address: String(made!['floating_ip_address']) }
}

/** Two tenants with routers, whose networks and guests have the same addresses. */
export function routersOfTenants(stage: () => NetworkStage): void {
  beforeAll(async () => {
    for (const { shell } of stage().guests) await shell.run(inBackground(`nc -ll -p ${port} -e hostname 2> /dev/null`))
  })

  it(
    'two tenants with the same addresses have each their way out and in',
    async () => {
      const { demo, other, one, stranger } = stage()
      const gateway = { network_id: await externalOf(stage()) }
      const router = await stage().make(other, 'routers', { name: 'private', external_gateway_info: gateway })
      const [subnet] = await stage().list(other, 'subnets', '?cidr=192.168.40.0/24')
      await stage().change(other, `/routers/${router}/add_router_interface`, { subnet_id: subnet!.id })
      await stage().make(other, 'security-group-rules', {
        security_group_id: await stage().groupOf(other, 'default'),
        ...letIn,
      })
      const callers = await stage().make(demo, 'security-groups', { name: 'callers' })
      await stage().make(demo, 'security-group-rules', { security_group_id: callers, ...letIn })
      const own = await stage().portOf(one)
      await stage().change(demo, `/ports/${own.id}`, { port: { security_groups: [...own.security_groups, callers] } })
      const theirs = await floating(stage(), other, (await stage().portOf(stranger)).id)
      const ours = await floating(stage(), demo, own.id)
      await leadsTo(theirs.address, 'stranger')
      await leadsTo(ours.address, 'one')
      expect(await greeting(theirs.address, port)).toBe('stranger')
      expect(await pings(stranger, await stage().outside())).toBe(true)
    },
    10 * minutes,
  )
}

/** Routers to the outside, and addresses of it that lead to guests. Each guest says its name to whoever calls at that port. */
export function routers(stage: () => NetworkStage): void {
  it(
    'guests reach the outside through their router; what comes in is let in by a rule while there is one',
    async () => {
      const { demo, two, three } = stage()
      expect(await pings(two, await stage().outside())).toBe(true)
      const { id, address } = await floating(stage(), demo, (await stage().portOf(two)).id)
      expect(await accepts(address, port)).toBe(false)
      const security_group_id = await stage().groupOf(demo, 'default')
      const rule = await stage().make(demo, 'security-group-rules', { security_group_id, ...letIn })
      await leadsTo(address, two.name)
      await stage().remove(demo, `/security-group-rules/${rule}`)
      await eventually('it holds no more', async () => !(await accepts(address, port)))
      await stage().make(demo, 'security-group-rules', { security_group_id, ...letIn })
      await leadsTo(address, two.name)
      await stage().change(demo, `/floatingips/${id}`, { floatingip: { port_id: (await stage().portOf(three)).id } })
      await leadsTo(address, three.name)
      await stage().change(demo, `/floatingips/${id}`, { floatingip: { port_id: null } })
      await eventually('it leads nowhere', async () => !(await accepts(address, port)))
      await stage().remove(demo, `/floatingips/${id}`)
    },
    10 * minutes,
  )

  it(
    'a floating IP goes from the router of one network to that of another',
    async () => {
      const { demo, one } = stage()
      const [{ id, ...ours }] = (await stage().list(demo, 'floatingips', `?port_id=${(await stage().portOf(one)).id}`)) as [
        { id: string; floating_ip_address: string },
      ]
      const second = await secondPort(one)
      // The guest answers by the link on which it was called.
      await one.shell.run(`ip route replace ${await stage().outside()} via 10.66.0.1 dev ${second.link}`)
      await stage().change(demo, `/floatingips/${id}`, { floatingip: { port_id: second.id } })
      await leadsTo(ours.floating_ip_address, 'one')
      const routersOf = new Set((await stage().list(demo, 'floatingips')).map(({ router_id: router }) => router))
      expect(routersOf.size).toBeGreaterThan(1)
      await stage().change(demo, `/floatingips/${id}`, { floatingip: { port_id: (await stage().portOf(one)).id } })
      await one.shell.run(`ip route del ${await stage().outside()}`)
      await leadsTo(ours.floating_ip_address, 'one')
    },
    10 * minutes,
  )

  async function secondPort(guest: Guest): Promise<{ id: string; link: string }> {
    const ports = await stage().portsOf(guest.client, guest.id)
    const { id, mac_address: mac } = ports.find(({ fixed_ips: ips }) =>
      ips.some(({ ip_address: each }) => each.startsWith('10.66.0.')),
    )!
    const { output } = await guest.shell.run(`grep -l ${mac} /sys/class/net/*/address | cut -d/ -f5`)
    return { id, link: output }
  }

  it(
    'a router leaves a host that is to be emptied, and its guests have their way out and in again',
    async () => {
      const { admin, demo, one } = stage()
      const [router] = await stage().list(demo, 'routers', '?name=private')
      const before = await homeOf(stage(), router!.id)
      const [ours] = await stage().list(demo, 'floatingips', `?port_id=${(await stage().portOf(one)).id}`)
      const setService = async (status: 'enabled' | 'disabled') => {
        type Services = { services: { id: string; host: string }[] }
        const { body } = await admin.compute<Services>('GET', '/os-services?binary=nova-compute')
        const { id } = body.services.find(({ host }) => host === before)!
        expect((await admin.compute('PUT', `/os-services/${id}`, { status })).status).toBe(200)
      }
      await setService('disabled')
      const after = await eventually('it has another home', async () => {
        const home = await homeOf(stage(), router!.id)
        return home !== before && home
      })
      expect(after).not.toBe('')
      await leadsTo(String(ours!['floating_ip_address']), 'one')
      expect(await pings(one, await stage().outside())).toBe(true)
      await eventually('nothing of it is left where it was', async () => {
        const namespace = `nurt${router!.id.slice(0, 8)}`
        return !(await stage().onHost(before, 'ip', 'netns')).includes(namespace)
      })
      await setService('enabled')
    },
    10 * minutes,
  )
}

/** The host on which a router lives, by its ports; empty while it has none. */
export async function homeOf(stage: NetworkStage, router: string): Promise<string> {
  const ports = await stage.list(stage.admin, 'ports', `?device_id=${router}`)
  return String(ports[0]!['binding:host_id'] ?? '')
}
