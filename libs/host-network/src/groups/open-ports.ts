import type { Piece, TableBuilder } from '../engine/piece.js'
import type { ProgramBuilder } from '../engine/program.js'
import { callRules } from '../metadata/callers.js'
import { networkTag } from '../names.js'
import type { HostPlan, NetworkPlan, PortPlan } from '../plan.js'
import { bridgeTable } from './bridge-table.js'
import { guardChain, portChain } from './chain-names.js'

/** The set of a network's MACs that somebody has, wherever he is. */
export const takenMacs = (network: Pick<NetworkPlan, 'networkId' | 'segment'>) => `macs_${networkTag(network)}`
const ofMacs = { type: 'ether_addr' } as const

/**
 * For a port without port security, which may say that it is anybody, but nobody who is there: its bridge would lead to it
 * what is for another port, and what is flooded to find that one it would hear. MACs that nobody has it may use and be found
 * at: those of guests within the guest, and virtual ones.
 * @param taken the set of its network's MACs; undefined where its network is not known.
 */
export function addOpenPort(
  table: TableBuilder,
  { portId, mac }: PortPlan,
  requests: string | undefined,
  taken: string | undefined,
): void {
  const another = (end: 'saddr' | 'daddr') => (taken ? [`ether ${end} != ${mac} ether ${end} @${taken} drop`] : [])
  table.chain(guardChain(portId), undefined, 'shut').rule(...another('saddr'), ...callRules(requests), 'accept')
  table.chain(portChain('ingress', portId), undefined, 'shut').rule(...another('daddr'), 'accept')
}

/** Of the networks that have such a port here. */
export function addTakenMacs({ networks, ports, routers }: HostPlan, program: ProgramBuilder): void {
  const open = new Set(ports.filter(({ portSecurity }) => !portSecurity).map(({ networkId }) => networkId))
  if (open.size === 0) return
  const here = Map.groupBy([...ports, ...routers.flatMap(plugsOf)], ({ networkId }) => networkId)
  for (const network of networks.filter(({ networkId }) => open.has(networkId))) {
    const { networkId, neighbours, service } = network
    const all = [...(here.get(networkId) ?? []), ...neighbours, ...(service ? [service] : [])]
    program.piece(networkId, macsOfNetwork, takenMacs(network), [...new Set(all.map(({ mac }) => mac))].toSorted())
  }
}

function macsOfNetwork(piece: Piece, name: string, macs: readonly string[]): void {
  const set = bridgeTable(piece).set(name, ofMacs)
  for (const mac of macs) set.element(mac)
}

const plugsOf = ({ gateway, interfaces }: HostPlan['routers'][number]) => [...(gateway ? [gateway] : []), ...interfaces]
