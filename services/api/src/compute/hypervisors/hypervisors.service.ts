import { Inject, Injectable } from '@nestjs/common'
import { DATABASE } from '@nubo/control-plane'
import {
  findHypervisor,
  listHypervisors,
  readHypervisorTotals,
  searchHypervisors,
  serversOfHosts,
  type Database,
  type HostedServer,
  type HypervisorKey,
  type HypervisorRow,
  type HypervisorTotals,
} from '@nubo/database'
import { CloudError, isUuid } from '@nubo/kernel'
import { pageSize } from '../pages.js'
import { maxInteger } from '../parameter-types.js'
import { serviceSilenceMs } from '../services/liveness.js'
import { uuidsSince } from '../services/services.service.js'
import type { ListHypervisorsQuery } from './hypervisors.schemas.js'

/** Before 2.33 all hypervisors came at once. */
const pagedSince = 33

export type ServersByHost = Map<string, HostedServer[]>

/** The hosts that servers run on, as an operator sees them. */
@Injectable()
export class HypervisorsService {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** Throws NotFound, and Invalid for what is no uuid where there should be one. */
  async find(id: string, minor: number): Promise<HypervisorRow> {
    if (minor >= uuidsSince && !isUuid(id.toLowerCase())) throw new CloudError('Invalid', `Invalid uuid ${id}`)
    const key = keyOf(id, minor)
    const found = key && (await findHypervisor(this.database, key, serviceSilenceMs))
    if (!found) throw new CloudError('NotFound', `Hypervisor with ID '${id}' could not be found.`)
    return found
  }

  /** A page, or those whose name holds the pattern: there are no pages of those. */
  async list(query: ListHypervisorsQuery, minor: number): Promise<HypervisorRow[]> {
    const { hypervisor_hostname_pattern: pattern, limit, marker } = query
    if (pattern !== undefined) {
      if (limit !== undefined || marker)
        throw new CloudError(
          'Invalid',
          'Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.',
        )
      return await this.search(pattern)
    }
    const page = { silenceMs: serviceSilenceMs, limit: minor < pagedSince ? undefined : pageSize(limit) }
    const key = marker === undefined ? undefined : keyOf(marker, minor)
    const found = marker === undefined || key ? await listHypervisors(this.database, { ...page, marker: key }) : undefined
    if (!found) throw new CloudError('Invalid', `marker [${marker}] not found`)
    return found
  }

  /** Throws NotFound where no name holds `pattern`. */
  async search(pattern: string): Promise<HypervisorRow[]> {
    const found = await searchHypervisors(this.database, pattern, serviceSilenceMs)
    if (found.length === 0) throw new CloudError('NotFound', `No hypervisor matching '${pattern}' could be found.`)
    return found
  }

  async serversOn(hypervisors: readonly HypervisorRow[]): Promise<ServersByHost> {
    return await serversOfHosts(
      this.database,
      hypervisors.map(({ id }) => id),
    )
  }

  async totals(): Promise<HypervisorTotals> {
    return await readHypervisorTotals(this.database)
  }
}

/** Undefined for what can name no hypervisor in this version. */
function keyOf(id: string, minor: number): HypervisorKey | undefined {
  if (minor >= uuidsSince) return isUuid(id.toLowerCase()) ? { id: id.toLowerCase() } : undefined
  return /^\d{1,10}$/.test(id) && Number(id) <= maxInteger ? { number: Number(id) } : undefined
}
