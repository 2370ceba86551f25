import { expect, it } from '@jest/globals'
import { frames } from '@nubo/host-network/testing'
import { inBackground } from '../../support/guest-shell.js'
import { hearFrames, sendFrames } from '../../support/guest-tools.js'
import { eventually, minutes, pings } from '../../support/network-checks.js'
import type { Guest, NetworkStage, Port } from '../../support/network-stage.js'

const { advertisement, arp, broadcast, echo, routerAdvertisement, udp } = frames

/** What a guest may say that it is, by frames that are written by hand. */
export function spoofing(stage: () => NetworkStage): void {
  it(
    'a guest cannot send as another, nor answer for others',
    async () => {
      const { one, two, three } = stage()
      for (const { shell } of [one, two, three]) await stage().tools.bring(shell)
      const { lies, truth } = await wordsOf(one, two, await freeAddress(one))
      const [port, hearing] = [await stage().portOf(one), await stage().portOf(two)]
      // Whoever hears them lets everything in, so what holds them back is where they are sent.
      await open(two, hearing)
      await eventually('what it hears is not judged', async () => (await heard(one, two, [truth])).length === 1)
      expect(await heard(one, two, lies)).toEqual([])
      await open(one, port)
      await eventually('what it sends is heard', async () => (await heard(one, two, lies)).length === lies.length)
      await shut(one, port)
      await eventually('it is held back again', async () => (await heard(one, two, lies)).length === 0)
      await shut(two, hearing)
    },
    10 * minutes,
  )

  it(
    'a guest without port security draws nothing that is for another',
    async () => {
      const { one, two, three } = stage()
      const [port, target] = [await stage().portOf(two), await stage().portOf(one)]
      await open(two, port)
      const claim = arp(
        { from: target.mac_address, to: broadcast },
        { operation: 'request', sender: { mac: target.mac_address, address: two.address }, target: nobody },
      )
      const other = { from: 'fa:16:3e:66:66:66', to: broadcast }
      const probe = arp(other, { operation: 'request', sender: { mac: other.from, address: two.address }, target: nobody })
      await eventually('its port is open', async () => (await heard(two, three, [probe])).length === 1)
      expect(await heard(two, three, [claim])).toEqual([])
      await two.shell.run(sendFrames('eth0', claim, claim, claim))
      expect(await pings(three, one.address)).toBe(true)
      await shut(two, port)
      await eventually('its port is shut', async () => (await heard(two, three, [probe])).length === 0)
    },
    10 * minutes,
  )

  /** One of its network that nobody has. */
  async function freeAddress(guest: Guest): Promise<string> {
    const { network_id: network } = await stage().portOf(guest)
    const ports = (await stage().list(stage().admin, 'ports', `?network_id=${network}`)) as unknown as Port[]
    const taken = new Set(ports.flatMap(({ fixed_ips: ips }) => ips.map(({ ip_address: address }) => address)))
    const own = guest.address.replace(/\d+$/, '')
    return Array.from({ length: 100 }, (_, index) => `${own}${index + 100}`).find((address) => !taken.has(address))!
  }

  const open = ({ client }: Guest, { id }: Port) =>
    stage().change(client, `/ports/${id}`, { port: { security_groups: [], port_security_enabled: false } })
  const shut = ({ client }: Guest, { id, security_groups }: Port) =>
    stage().change(client, `/ports/${id}`, { port: { security_groups, port_security_enabled: true } })

  /** What of these frames of one guest reaches the other: all that came before a question that every guest may ask. */
  async function heard(from: Guest, to: Guest, sent: readonly string[]): Promise<string[]> {
    const { mac_address: mac } = await stage().portOf(from)
    const sender = { mac, address: from.address }
    const marker = arp({ from: mac, to: broadcast }, { operation: 'request', sender, target: nobody })
    await to.shell.run(`rm -f /tmp/heard; ${inBackground(`${hearFrames('eth0', marker)} > /tmp/heard; echo done >> /tmp/heard`)}`)
    // Whether it listens yet nobody knows: it is asked until it has heard.
    await from.shell.run(sendFrames('eth0', ...sent))
    const told = await eventually('it has heard', async () => {
      await from.shell.run(sendFrames('eth0', ...sent, marker))
      const { output } = await to.shell.run('cat /tmp/heard')
      return output.includes('done') && output.split('\n')
    })
    return sent.filter((frame) => told.some((line) => line.startsWith(frame)))
  }
}

const nobody = { mac: '00:00:00:00:00:00', address: '192.168.40.253' }

/** What is not so, each frame in another way, and what is so, but which the other's groups do not let in. */
async function wordsOf(one: Guest, two: Guest, free: string): Promise<{ lies: string[]; truth: string }> {
  const macOf = async ({ shell }: Guest) => (await shell.run('cat /sys/class/net/eth0/address')).output
  const [own, other] = [await macOf(one), await macOf(two)]
  const to = { from: own, to: other }
  const localOf = async ({ shell }: Guest) =>
    (await shell.run(`ip -6 address show dev eth0 scope link | sed -n 's/.*inet6 \\(.*\\)\\/64.*/\\1/p'`)).output
  const [local, ofTwo] = [await localOf(one), await localOf(two)]
  const everyone = { from: own, to: '33:33:00:00:00:01' }
  const truth = udp(to, { from: local, to: ofTwo }, { source: 5, destination: 5 }, '02')
  const lies = [
    echo({ ...to, from: 'fa:16:3e:66:66:66' }, { from: one.address, to: two.address }, 'request'),
    echo(to, { from: free, to: two.address }, 'request'),
    echo(to, { from: 'fe80::bad', to: ofTwo }, 'request'),
    arp(to, { operation: 'reply', sender: { mac: own, address: free }, target: { mac: other, address: two.address } }),
    udp(to, { from: one.address, to: two.address }, { source: 67, destination: 68 }, '02'),
    udp(to, { from: local, to: ofTwo }, { source: 547, destination: 546 }, '02'),
    routerAdvertisement(everyone, { from: local, to: 'ff02::1' }),
    advertisement(to, { from: local, to: ofTwo }, 'fe80::1', own),
  ]
  return { lies, truth }
}
