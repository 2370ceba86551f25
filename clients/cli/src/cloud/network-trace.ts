import type { Compute } from './compute.js'
import { Nubo } from './nubo.js'

/** What becomes of a packet: Nubo's own addition. More keys may come. */
export interface NetworkTrace {
  outcome: 'arrives' | 'dropped' | 'leaves'
  /** The way in sentences, for people. */
  lines: string[]
  [key: string]: unknown
}

export interface TracedPacket {
  address: string
  protocol?: string | undefined
  port?: number | undefined
}

/** `GET /nubo/v1/servers/{id}/network-trace`. */
export async function traceNetwork(compute: Compute, serverId: string, packet: TracedPacket): Promise<NetworkTrace> {
  const query = new URLSearchParams({ address: packet.address })
  if (packet.protocol !== undefined) query.set('protocol', packet.protocol)
  if (packet.port !== undefined) query.set('port', String(packet.port))
  const { network_trace } = await new Nubo(compute).get<{ network_trace: NetworkTrace }>(
    `/servers/${serverId}/network-trace?${query}`,
    { doing: 'Tracing a packet', without: 'does not trace packets' },
  )
  return network_trace
}
