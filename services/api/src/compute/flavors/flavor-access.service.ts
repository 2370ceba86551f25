import { Inject, Injectable } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { addFlavorAccess, findProject, listFlavorAccess, removeFlavorAccess, type Database, type Once } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { FlavorsService } from './flavors.service.js'

/** Since 2.7 a public flavor needs no access and takes none. */
const publicRefusedSince = 7

/** Which projects may use a flavor that is not public. */
@Injectable()
export class FlavorAccessService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly flavors: FlavorsService,
  ) {}

  /** Ids of projects. */
  async list(caller: Caller, id: string): Promise<string[]> {
    const flavor = await this.flavors.find(caller, id)
    if (flavor.public) throw new CloudError('NotFound', 'Access list not available for public flavors.')
    return await listFlavorAccess(this.database, flavor.id)
  }

  /** Returns the ids of all projects that have access then. */
  async add(caller: Caller, id: string, projectId: string, minor: number, once: Once<string[]>): Promise<string[]> {
    if (!(await findProject(this.database, projectId)))
      throw new CloudError('Invalid', `Project ID ${projectId} is not a valid project.`)
    const flavor = await this.flavors.find(caller, id)
    if (flavor.public && minor >= publicRefusedSince) throw new CloudError('Conflict', 'Can not add access to a public flavor.')
    return await once.run(this.database, async (db) => {
      if (!(await addFlavorAccess(db, flavor.id, projectId)))
        throw new CloudError('Conflict', `Flavor access already exists for flavor ${id} and project ${projectId} combination.`)
      return await listFlavorAccess(db, flavor.id)
    })
  }

  /** Takes access from a project, which may be gone itself by now. Returns the ids of those that still have it. */
  async remove(caller: Caller, id: string, projectId: string, once: Once<string[]>): Promise<string[]> {
    const flavor = await this.flavors.find(caller, id)
    return await once.run(this.database, async (db) => {
      if (!(await removeFlavorAccess(db, flavor.id, projectId)))
        throw new CloudError('NotFound', `Flavor access not found for ${id} / ${projectId} combination.`)
      return await listFlavorAccess(db, flavor.id)
    })
  }
}
