import type { Compute } from './compute.js'
import { Nubo } from './nubo.js'

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

/** `GET /nubo/v1/servers/{id}/placement`. */
export async function getPlacement(compute: Compute, serverId: string): Promise<PlacementDecision> {
  const { placement } = await new Nubo(compute).get<{ placement: PlacementDecision }>(`/servers/${serverId}/placement`, {
    doing: 'Reading the placement decision',
    without: 'does not explain placements',
  })
  return placement
}
