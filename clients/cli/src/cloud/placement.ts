import { CommandError, exitCode } from '../exit.js'
import type { Compute } from './compute.js'
import { refusal } from './errors.js'
import { readJson } from './session.js'

/** Why a server is where it is: Nubo's own addition to the compute API. More keys may come. */
export interface PlacementDecision {
  server_id: string
  outcome: string
  decided_at?: string | null
  host?: string | null
  message?: string | null
  /** The decision in sentences, for people. */
  lines?: string[]
  [key: string]: unknown
}

/**
 * `GET /nubo/v1/servers/{id}/placement`, on the host of the compute service. Throws not-found with a message that tells a
 * cloud that does not explain placements from a server without a decision.
 */
export async function getPlacement(compute: Compute, serverId: string): Promise<PlacementDecision> {
  const root = await nuboRoot(compute)
  const url = `${root}/servers/${serverId}/placement`
  const response = await compute.session.send({ method: 'GET', url })
  if (response.status < 300) return (await readJson<{ placement: PlacementDecision }>(response, url)).placement
  const refused = await refusal(response, 'Reading the placement decision')
  if (response.status === 404 && !(await hasNuboApi(compute))) {
    throw new CommandError(exitCode.notFound, 'This cloud does not explain placements: it has no /nubo/v1 beside its compute API')
  }
  throw refused
}

/** Whether this cloud is a Nubo. */
async function hasNuboApi(compute: Compute): Promise<boolean> {
  const response = await compute.session.send({ method: 'GET', url: await nuboRoot(compute) })
  response.bytes.resume()
  return response.status < 300
}

async function nuboRoot(compute: Compute): Promise<string> {
  const { url } = await compute.api()
  return `${url.replace(/\/v2(\.\d+)?(\/.*)?$/, '')}/nubo/v1`
}
