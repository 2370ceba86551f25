import { createHash } from 'node:crypto'
import { BlockList } from 'node:net'
import { familyOf } from '../addresses.js'
import { hostNamespace } from '../engine/objects.js'
import type { Piece } from '../engine/piece.js'
import type { Part } from '../part.js'
import type { NetworkPlan } from '../plan.js'
import type { HostSettings } from '../settings.js'
import { answerOnUplinks, servedNetworks } from './service-link.js'
import { dnsmasq, settingsText } from './dnsmasq.js'

/** Ports are spread over so many, so that one more of them seldom moves another. */
const spread = 1_000

/**
 * Who on the host asks the world for the networks: one program for all that ask the same nameservers, listening on their
 * uplinks alone. So a network's namespace needs no way out, and the host forwards no packets.
 */
export const resolvers: Part = ({ networks }, settings, program) => {
  const served = servedNetworks(networks, settings)
  for (const [upstream, port] of resolverPorts(served, settings)) {
    const asked = port === settings.resolverPort ? '' : upstream
    program.piece(asked, resolver, asked, port, settings)
  }
}

/**
 * By the nameservers that are asked (an empty text: the host's own), the port at which is listened for those who ask them.
 * There are programs for so many of them and no more: beyond, the host's own are asked, who know the same world.
 */
export function resolverPorts(served: readonly NetworkPlan[], { resolverPort }: HostSettings): Map<string, number> {
  const ports = new Map<string, number>()
  const taken = new Set<number>()
  for (const upstream of [...new Set(served.map(upstreamOf))].toSorted()) {
    if (upstream === '' || taken.size === spread) {
      ports.set(upstream, resolverPort)
      continue
    }
    let offset = createHash('sha1').update(upstream).digest().readUInt16BE() % spread
    while (taken.has(resolverPort + 1 + offset)) offset = (offset + 1) % spread
    ports.set(upstream, resolverPort + 1 + offset)
    taken.add(resolverPort + 1 + offset)
  }
  return ports
}

/**
 * The nameservers that the host asks for a network. Those with a private address are the tenant's own: the host asks them
 * nothing, because at that address somebody else answers it, and guests are told of them.
 */
export function upstreamOf({ subnets }: NetworkPlan): string {
  const servers = subnets.flatMap(({ dhcp, dnsNameservers }) => (dhcp ? dnsNameservers : []))
  return [...new Set(servers)].filter(isPublic).join(' ')
}

const notPublic = new BlockList()
for (const [address, length] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  notPublic.addSubnet(address, length, 'ipv4')
}

const isPublic = (address: string) => (familyOf(address) === 6 ? /^[23]/.test(address) : !notPublic.check(address, 'ipv4'))

function resolver(piece: Piece, upstream: string, port: number, settings: HostSettings): void {
  const name = `resolver-${port}`
  const servers = upstream === '' ? [] : ['no-resolv', ...upstream.split(' ').map((server) => `server=${server}`)]
  const text = settingsText([
    `user=${settings.dnsmasqUser}`,
    `port=${port}`,
    // Uplinks come and go while it runs.
    'bind-dynamic',
    'interface=nudu*',
    'except-interface=lo',
    'no-hosts',
    'domain-needed',
    'cache-size=1000',
    ...servers,
  ])
  dnsmasq({ name, namespace: hostNamespace, text, reads: '', remembers: [] }, settings, piece)
  for (const protocol of ['udp', 'tcp'] as const) answerOnUplinks(piece, protocol, port)
}
