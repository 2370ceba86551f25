import { Inject, Injectable } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  deleteFlavor,
  describeFlavor,
  findVisibleFlavor,
  insertFlavor,
  listFlavors,
  type Database,
  type FlavorRow,
  type FlavorViewer,
  type Once,
} from '@nubo/database'
import { CloudError, newId, type FlavorId, type Random } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import { pageSize } from '../pages.js'
import { looseBoolean, maxInteger } from '../parameter-types.js'
import type { CreateFlavorBody, ListFlavorsQuery } from './flavors.schemas.js'

/** What servers may be made of: seen by all, made and deleted by administrators. */
@Injectable()
export class FlavorsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(RANDOM) private readonly random: Random,
  ) {}

  /** A flavor that the caller may see. Throws NotFound. */
  async find(caller: Caller, id: string): Promise<FlavorRow> {
    const flavor = await findVisibleFlavor(this.database, id, viewerOf(caller))
    if (!flavor) throw flavorNotFound(id)
    return flavor
  }

  async list(caller: Caller, query: ListFlavorsQuery): Promise<FlavorRow[]> {
    const found = await listFlavors(this.database, {
      viewer: viewerOf(caller),
      public: isCloudAdmin(caller) ? readIsPublic(query.is_public) : true,
      minMemoryMiB: readMinimum('minRam', query.minRam),
      minDiskGiB: readMinimum('minDisk', query.minDisk),
      sortKey: query.sort_key ?? 'flavorid',
      descending: query.sort_dir === 'desc',
      limit: pageSize(query.limit),
      marker: query.marker,
    })
    if (!found) throw new CloudError('Invalid', `marker [${query.marker}] not found`)
    return found
  }

  async create({ flavor }: CreateFlavorBody, once: Once<FlavorRow>): Promise<FlavorRow> {
    const id = (flavor.id ?? newId(this.random)) as FlavorId
    const wanted = {
      id,
      name: flavor.name,
      description: flavor.description ?? null,
      vcpus: flavor.vcpus,
      memoryMiB: flavor.ram,
      diskGiB: flavor.disk,
      ephemeralGiB: flavor['OS-FLV-EXT-DATA:ephemeral'] ?? 0,
      swapMiB: flavor.swap ?? 0,
      rxtxFactor: flavor.rxtx_factor ?? 1,
      public: flavor['os-flavor-access:is_public'] ?? true,
    }
    return await once.run(this.database, async (db) => {
      const made = await insertFlavor(db, wanted)
      if (!('taken' in made)) return made
      const what = made.taken === 'id' ? `ID ${id}` : `name ${flavor.name}`
      throw new CloudError('Conflict', `Flavor with ${what} already exists.`)
    })
  }

  async describe(id: string, description: string | null): Promise<FlavorRow> {
    const flavor = await describeFlavor(this.database, id, description)
    if (!flavor) throw flavorNotFound(id)
    return flavor
  }

  async delete(id: string): Promise<void> {
    if (!(await deleteFlavor(this.database, id))) throw flavorNotFound(id)
  }
}

const flavorNotFound = (id: string) => new CloudError('NotFound', `Flavor ${id} could not be found.`)

function viewerOf(caller: Caller): FlavorViewer {
  return {
    projectId: caller.scope.kind === 'project' ? caller.scope.projectId : undefined,
    seesAll: isCloudAdmin(caller),
  }
}

/** True where nothing is said, undefined for 'None': all of them. */
function readIsPublic(value: string | undefined): boolean | undefined {
  if (value === undefined) return true
  if (value.toLowerCase() === 'none') return undefined
  const read = looseBoolean(value)
  if (read === undefined) throw new CloudError('Invalid', `Invalid is_public filter [${value}]`)
  return read
}

function readMinimum(name: string, value: string | undefined): number {
  if (value === undefined) return 0
  if (!/^\s*[+-]?\d+\s*$/.test(value)) throw new CloudError('Invalid', `Invalid ${name} filter [${value}]`)
  return Math.min(Math.max(Number(value), 0), maxInteger)
}
