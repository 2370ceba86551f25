import { usageError } from '../exit.js'
import { looksLikeId, pick } from './names.js'
import { fetchAll, withQuery } from './pages.js'
import type { Session } from './session.js'

/** Finds a network's id. Where the cloud has no network service, only an id will do, and the compute service judges it. */
export async function findNetworkId(session: Session, wanted: string): Promise<string> {
  const endpoint = await session.findEndpoint('network')
  if (endpoint === undefined) {
    if (looksLikeId(wanted)) return wanted
    throw usageError(`This cloud has no network service, so --network takes auto, none or an id, not '${wanted}'`)
  }
  const url = `${endpoint.replace(/\/v2\.0$/, '')}/v2.0/networks`
  const filter = looksLikeId(wanted) ? { id: wanted } : { name: wanted }
  const networks = await fetchAll<{ id: string; name: string }>(session, {
    url: withQuery(url, filter),
    key: 'networks',
    doing: 'Listing the networks',
  })
  return pick('network', wanted, networks, (network) => network.name).id
}
