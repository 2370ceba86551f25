import { ProgramBuilder } from '../engine/program.js'
import { tableDifferenceOf } from '../engine/table-difference.js'
import { ruleMark, type Table } from '../engine/tables.js'
import { Connections } from '../groups/connections.js'
import { securityGroups } from '../groups/part.js'
import { nftScript } from '../linux/nft-script.js'
import { bridgeName, tapName, vxlanName } from '../names.js'
import type { HostPlan, PortPlan } from '../plan.js'
import { arp, broadcast, echo, tcp } from './frames.js'
import { Lab, PacketGuest } from './lab.js'
import { emptyPlan, networkOf, portOf, testSettings } from './plans.js'

export const network = networkOf(7)
/** Guests of this host. */
export const [a, b] = [portOf(network, 10), portOf(network, 11)]
/** Somebody behind another host. */
export const far = portOf(network, 12)
/** Is heard by everybody whom anything reaches. */
export const witness = portOf(network, 13)

/** A bridge with two guests and a way to another host, under the rules of a plan. Every frame on it is written by hand. */
export class JudgedBridge {
  private readonly guests = new Map<PortPlan, PacketGuest>()
  private readonly connections: Connections
  private actual = new Map<string, Table>()

  private constructor(readonly lab: Lab) {
    this.connections = new Connections(lab.processes)
  }

  static async open(): Promise<JudgedBridge> {
    const made = new JudgedBridge(await Lab.open())
    await made.begin()
    return made
  }

  close(): Promise<void> {
    return this.lab.close()
  }

  private async begin(): Promise<void> {
    const { lab } = this
    // Others' bridges are spared; ours are tracked all the same.
    const sparing = 'for kind in iptables ip6tables arptables; do echo 0 > /proc/sys/net/bridge/bridge-nf-call-$kind; done'
    await lab.run('sh', '-c', sparing)
    const bridge = bridgeName(network)
    await lab.run('ip', 'link', 'add', bridge, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0')
    await lab.run('ip', 'link', 'set', bridge, 'type', 'bridge', 'nf_call_iptables', '1', 'nf_call_ip6tables', '1')
    await lab.run('ip', 'link', 'set', bridge, 'up')
    const plugs = [
      { port: a, tap: tapName(a.portId) },
      { port: b, tap: tapName(b.portId) },
      { port: far, tap: vxlanName(7) },
      { port: witness, tap: vxlanName(8) },
    ]
    for (const { port, tap } of plugs) {
      await lab.plug(port.hostname!, tap, bridge, port.mac)
      this.guests.set(port, await PacketGuest.start(lab, port.hostname!))
    }
  }

  /** The rules of a plan, by difference from those before. */
  async apply(plan: Partial<HostPlan>): Promise<void> {
    const builder = new ProgramBuilder()
    const whole = { ...emptyPlan, networks: [network], ...plan }
    securityGroups(whole, testSettings, builder)
    const { tables } = builder.program
    const changes = tableDifferenceOf(this.actual, tables)
    if (changes.length > 0) await this.lab.processes.run('nft', ['-f', '-'], { timeoutMs: 30_000, input: nftScript(changes) })
    this.actual = new Map([...tables].map(([key, table]) => [key, asMarks(table)]))
    await this.connections.follow(whole)
  }

  /** Whether the frame, sent by one, is heard by the other. */
  async passes(from: PortPlan, to: PortPlan, frame: string): Promise<boolean> {
    const marker = await this.sendAndMark(from, frame)
    return (await this.guests.get(to)!.hear(marker)).includes(frame)
  }

  /** True where neither a packet for it nor anything else reaches a port. */
  async isDeaf(port: PortPlan): Promise<boolean> {
    await this.guests.get(port)!.drain()
    const marker = await this.sendAndMark(far, ping(far, port))
    await this.guests.get(far)!.hear(marker)
    return (await this.guests.get(port)!.drain()).length === 0
  }

  /** The bridge knows no more where this one is. */
  async forget({ portId, mac }: PortPlan): Promise<void> {
    await this.lab.run('bridge', 'fdb', 'del', mac, 'dev', tapName(portId), 'master')
  }

  /** Sends it, and then something that everybody hears whom anything reaches. */
  private async sendAndMark(from: PortPlan, frame: string): Promise<string> {
    const speaker = this.guests.get(witness)!
    const marker = speaker.marker()
    await this.guests.get(from)!.send(frame)
    await speaker.send(arp({ from: witness.mac, to: broadcast }, question(witness)) + marker)
    return marker
  }
}

const asMarks = (table: Table): Table => ({
  ...table,
  chains: new Map([...table.chains].map(([name, chain]) => [name, { ...chain, rules: chain.rules.map(ruleMark) }])),
})

export const question = ({ mac, addresses: [address] }: PortPlan) => ({
  operation: 'request' as const,
  sender: { mac, address: address! },
  target: { mac: '00:00:00:00:00:00', address: '10.0.0.99' },
})

export const between = (from: PortPlan, to: PortPlan) => ({ from: from.mac, to: to.mac })

export function ends(from: PortPlan, to: PortPlan, family: 4 | 6 = 4) {
  const index = family === 4 ? 0 : 1
  return { from: from.addresses[index]!, to: to.addresses[index]! }
}

export const ping = (from: PortPlan, to: PortPlan, family: 4 | 6 = 4, kind: 'request' | 'reply' = 'request', id = 7) =>
  echo(between(from, to), ends(from, to, family), kind, id)

export const syn = (from: PortPlan, to: PortPlan, destination: number, source = 40_000, family: 4 | 6 = 4) =>
  tcp(between(from, to), ends(from, to, family), { source, destination }, 'syn')
