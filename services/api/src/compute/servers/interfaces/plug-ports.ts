import { createPorts, portOfServer, takePort, type NewPort, type TakenPort, type Transaction } from '@nubo/database'
import { CloudError, newId, type HostId, type PortId, type ProjectId, type Random, type ServerId } from '@nubo/kernel'
import { assertStillShared, portInUse, type WantedInterface, type WantedInterfaces } from './requested-networks.js'

/** A server that is to have interfaces, and where they are plugged in. */
export interface PluggedServer {
  id: ServerId
  projectId: ProjectId
  /** Null for one that has no host yet: the claim binds its ports. */
  hostId: HostId | null
  /** Of its first new interface. */
  firstIndex: number
}

/**
 * Makes the ports of these servers, and takes those that are named, in the transaction that makes the servers, or changes
 * them. Returns their ids, of one server after the other. Throws what Nova says where they cannot be had.
 */
export async function plugPorts(
  tx: Transaction,
  servers: readonly PluggedServer[],
  { interfaces, groups }: WantedInterfaces,
  random: Random,
): Promise<PortId[]> {
  const wanted = servers.flatMap((server) => interfaces.map((each, index) => portFor(server, each, index, groups, random)))
  const named = wanted.filter((port) => 'taken' in port)
  for (const { taken } of named) if (!(await takePort(tx, taken))) throw portInUse(taken.portId)
  const made = wanted.flatMap((port) => ('made' in port ? port.made : []))
  if (made.length > 0) await createPorts(tx, made, random).catch(inNovasWords)
  await assertStillUsable(tx, servers, interfaces)
  return wanted.map((port) => ('made' in port ? port.made.id : (port.taken.portId as PortId)))
}

/** From here on the ports hold their networks as they are: whoever ends a share of one waits, and finds them. */
async function assertStillUsable(
  tx: Transaction,
  servers: readonly PluggedServer[],
  interfaces: readonly WantedInterface[],
): Promise<void> {
  const borrowed = new Set(interfaces.flatMap((each) => ('networkId' in each && each.isBorrowed ? each.networkId : [])))
  if (borrowed.size > 0) await assertStillShared(tx, [...borrowed], servers[0]!.projectId)
}

function portFor(
  server: PluggedServer,
  wanted: WantedInterface,
  index: number,
  groups: WantedInterfaces['groups'],
  random: Random,
): { taken: TakenPort } | { made: NewPort } {
  const { id: serverId, projectId, hostId, firstIndex } = server
  const deviceIndex = firstIndex + index
  const { tag } = wanted
  if ('portId' in wanted) return { taken: { portId: wanted.portId, serverId, deviceIndex, tag, hostId } }
  const { networkId, address, portSecurityEnabled } = wanted
  const id = newId<PortId>(random)
  // Groups mean nothing on a network without port security: as Nova, the request for them is passed over there.
  const guard = { portSecurityEnabled, groups: portSecurityEnabled ? groups : [] }
  const asked = { ...guard, wanted: address === undefined ? undefined : [{ address }] }
  return { made: { id, networkId, projectId, hostId, deviceTag: tag, ...asked, ...portOfServer(serverId, deviceIndex) } }
}

/** What Neutron says to Nova is not what Nova says to its clients (nova/network/neutron.py, nova/exception.py). */
function inNovasWords(error: unknown): never {
  if (!(error instanceof CloudError)) throw error
  const { type } = error.details as { type?: string }
  switch (type) {
    case 'OverQuota':
      throw new CloudError('QuotaExceeded', 'Maximum number of ports exceeded', { cause: error })
    case 'IpAddressAlreadyAllocated': {
      const [, address] = /^IP address (\S+) /.exec(error.message) ?? []
      throw new CloudError('Invalid', `Fixed IP address ${address} is already in use.`, { cause: error })
    }
    case 'IpAddressGenerationFailure':
    case 'InvalidIpForNetwork':
    case 'InvalidInput':
    case 'InvalidIpForSubnet':
    case 'SecurityGroupNotFound':
    case 'NetworkNotFound':
      throw new CloudError('Invalid', error.message, { cause: error })
    default:
      throw error
  }
}
