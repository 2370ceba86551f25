import { bridgeName, type NetworkPlan, type PortPlan } from '@nubo/host-network'
import {
  anyEgress,
  emptyPlan,
  groupOf,
  ingress,
  networkOf,
  portOf,
  TestHosts,
  type TestGuest,
  type TestHost,
} from '@nubo/host-network/testing'
import { assert } from '@nubo/kernel'
import type { Figure } from './figures.js'

const seconds = 4

/** One TCP connection between guests of two hosts, and between two namespaces that a pair of links joins. */
export async function benchThroughput(): Promise<Figure[]> {
  await using hosts = await TestHosts.begin(2)
  const [left, right] = hosts.hosts as [TestHost, TestHost]
  const bare = await bareRate(left)
  const ours = await rateBetweenHosts(left, right)
  return [
    { name: 'a bare pair of links', value: bare, unit: 'MiB/s' },
    { name: 'bridge, VXLAN and groups, two hosts', value: ours, unit: 'MiB/s' },
    { name: 'share of the bare pair', value: ours / bare, unit: 'x' },
  ]
}

async function bareRate(host: TestHost): Promise<number> {
  await host.run(`ip netns add bare1; ip netns add bare2
    ip link add b1 netns bare1 type veth peer name b2 netns bare2
    nsenter --net=/run/netns/bare1 ip addr add 10.9.0.1/24 dev b1; nsenter --net=/run/netns/bare2 ip addr add 10.9.0.2/24 dev b2
    nsenter --net=/run/netns/bare1 ip link set b1 up; nsenter --net=/run/netns/bare2 ip link set b2 up`)
  return await rate(
    (script) => host.run(`nsenter --net=/run/netns/bare2 ${process.execPath} -e '${script}'`),
    (script) => host.run(`nsenter --net=/run/netns/bare1 ${process.execPath} -e '${script}'`),
    '10.9.0.2',
  )
}

async function rateBetweenHosts(left: TestHost, right: TestHost): Promise<number> {
  const network = networkOf(1)
  const group = groupOf(1, [...anyEgress, ingress({ protocol: 6 })])
  const [from, to] = [portOf(network, 5, { groups: [group.groupId] }), portOf(network, 6, { groups: [group.groupId] })]
  const behind = ({ mac, addresses }: PortPlan, { address }: TestHost) => [{ mac, addresses, host: address }]
  const carry = async (host: TestHost, port: PortPlan, neighbours: NetworkPlan['neighbours'], name: string) => {
    const hostNetwork = host.open()
    const { trouble } = await hostNetwork.apply({
      ...emptyPlan,
      networks: [{ ...network, neighbours }],
      ports: [port],
      groups: [group],
    })
    assert(trouble === undefined, String(trouble))
    const guest = await plugIn(host, network, port, name)
    return { guest, close: () => hostNetwork.close() }
  }
  const sender = await carry(left, from, behind(to, right), 'sender')
  const receiver = await carry(right, to, behind(from, left), 'receiver')
  const run = (guest: TestGuest) => (script: string) => guest.run(process.execPath, '-e', script)
  const result = await rate(run(receiver.guest), run(sender.guest), to.addresses[0]!)
  await Promise.all([sender.close(), receiver.close()])
  return result
}

type Run = (script: string) => Promise<string>

/** In MiB/s, as the receiver counts it from its first byte to its last. */
async function rate(receive: Run, send: Run, address: string): Promise<number> {
  const receiving = receive(receiver)
  await send(sender(address))
  return Number(await receiving)
}

const receiver = `require("net").createServer((socket) => {
  let bytes = 0, since
  socket.on("data", (data) => { since ??= performance.now(); bytes += data.length })
  socket.on("end", () => { console.log(bytes / 1048576 / ((performance.now() - since) / 1000)); process.exit() })
}).listen(5001)`

/** Tries until the other one listens. */
const sender = (address: string) => `const buffer = Buffer.alloc(262144), net = require("net")
const open = () => { const socket = net.connect(5001, "${address}")
  socket.on("error", () => setTimeout(open, 50))
  socket.on("connect", () => { const end = performance.now() + ${seconds * 1000}
    const more = () => { while (performance.now() < end) if (!socket.write(buffer)) return socket.once("drain", more)
      socket.end(() => process.exit()) }
    more() }) }
open()`

async function plugIn(host: TestHost, network: NetworkPlan, port: PortPlan, name: string): Promise<TestGuest> {
  const guest = await host.plugIn(name, port, bridgeName(network), network.mtu)
  await guest.run('ip', 'address', 'add', `${port.addresses[0]}/16`, 'dev', 'eth0')
  return guest
}
