import { usageError } from '../exit.js'
import { looksLikeId } from './names.js'
import { networks } from './network-kinds.js'
import { NetworkService } from './network-service.js'
import type { Session } from './session.js'

/** Finds a network's id. Where the cloud has no network service, only an id will do, and the compute service judges it. */
export async function findNetworkId(session: Session, wanted: string): Promise<string> {
  if ((await session.findEndpoint('network')) !== undefined) return (await new NetworkService(session).find(networks, wanted)).id
  if (looksLikeId(wanted)) return wanted
  throw usageError(`This cloud has no network service, so --network takes auto, none or an id, not '${wanted}'`)
}
