import { Inject, Injectable } from '@nestjs/common'
import { DATABASE } from '@nubo/control-plane'
import {
  deleteControlService,
  findService,
  forgetHost,
  listServices,
  updateComputeService,
  type ComputeServiceChanges,
  type Database,
  type Forgotten,
  type ServiceFilter,
  type ServiceKey,
  type ServiceRow,
} from '@nubo/database'
import { CloudError, isUuid, type HostId } from '@nubo/kernel'
import { maxInteger } from '../parameter-types.js'
import { serviceSilenceMs } from './liveness.js'
import type { UpdateServiceBody } from './services.schemas.js'
import { computeBinary } from './services.views.js'

/** Since 2.53 services and hypervisors are known by uuids; before, by numbers. */
export const uuidsSince = 53

const stillInUse = {
  'has servers': 'Unable to delete compute service that is hosting instances. Migrate or delete the instances first.',
  'has networks':
    'Unable to delete compute service whose host may still carry routers or addresses. Disable it until they have left it, or force it down if it is dead.',
} satisfies Record<Exclude<Forgotten, 'forgotten'>, string>

/** The programs that make up the cloud: a nova-compute on each host, schedulers and conductors. */
@Injectable()
export class ServicesService {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  async list(filter: ServiceFilter): Promise<ServiceRow[]> {
    return await listServices(this.database, serviceSilenceMs, filter)
  }

  /** Throws Invalid for a service that cannot be changed, or for a change that is none. */
  async update(id: string, body: UpdateServiceBody): Promise<ServiceRow> {
    const key = uuidKey(id)
    const service = await findService(this.database, key, serviceSilenceMs)
    if (!service) throw new CloudError('NotFound', `Service ${id} could not be found.`)
    refuseOthers(service.binary)
    await updateComputeService(this.database, service.id, changesOf(body))
    return (await findService(this.database, key, serviceSilenceMs)) ?? service
  }

  /** As `update`, for a service that is known by where it runs. */
  async updateNamed(host: string, binary: string, changes: ComputeServiceChanges): Promise<void> {
    refuseOthers(binary)
    const [service] = await listServices(this.database, serviceSilenceMs, { host, binary })
    if (!service) throw new CloudError('NotFound', `Could not find binary ${binary} on host ${host}.`)
    await updateComputeService(this.database, service.id, changes)
  }

  /** Forgets a service; one that is still there is listed again with its next word. Throws Conflict for a host in use. */
  async delete(id: string, minor: number): Promise<void> {
    const key = minor >= uuidsSince ? uuidKey(id) : numberKey(id)
    const service = key && (await findService(this.database, key, serviceSilenceMs))
    if (!service) throw new CloudError('NotFound', `Service ${id} not found.`)
    if (service.binary !== computeBinary) return await deleteControlService(this.database, service.id)
    const outcome = await forgetHost(this.database, service.id as HostId)
    if (outcome !== 'forgotten') throw new CloudError('Conflict', stillInUse[outcome])
  }
}

function uuidKey(id: string): ServiceKey {
  if (!isUuid(id.toLowerCase())) throw new CloudError('Invalid', `Invalid uuid ${id}`)
  return { id: id.toLowerCase() }
}

/** Undefined for a number that no service can have. */
function numberKey(id: string): ServiceKey | undefined {
  if (!/^-?\d+$/.test(id)) throw new CloudError('Invalid', 'Invalid input received: id must be an integer')
  return Math.abs(Number(id)) <= maxInteger ? { number: Number(id) } : undefined
}

function refuseOthers(binary: string): void {
  if (binary !== computeBinary)
    throw new CloudError('Invalid', `Updating a ${binary} service is not supported. Only nova-compute services can be updated.`)
}

function changesOf({ status, disabled_reason: reason, forced_down: forcedDown }: UpdateServiceBody): ComputeServiceChanges {
  if (status === 'enabled' && reason !== undefined)
    throw new CloudError('Invalid', "Specifying 'disabled_reason' with status 'enabled' is invalid.")
  if (status === undefined && forcedDown === undefined)
    throw new CloudError('Invalid', "No updates were requested. Fields 'status' or 'forced_down' should be specified.")
  if (status === undefined) return { forcedDown }
  return { enabled: status === 'enabled', disabledReason: reason ?? null, forcedDown }
}
