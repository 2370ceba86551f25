import { enforce, type Caller } from '@nubo/auth'
import type { FlavorRow, ServerImageRow } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { forcedHostPolicy, zeroDiskFlavorPolicy } from './servers.policies.js'
import type { CreateServerBody, NewServerRequest } from './servers.schemas.js'

// What a request for new servers must be like, beyond its schema.

const gibibyte = 1024 ** 3
/** What one transaction writes at the most, whatever a quota without limits would allow. */
const mostAtOnce = 1_000

export interface Counts {
  minCount: number
  maxCount: number
}

/** Where a server goes is the scheduler's to say, in the one zone there is. */
export function refuseNamedHosts(caller: Caller, server: NewServerRequest): void {
  const [zone, host] = (server.availability_zone ?? 'nova').split(':')
  if (host !== undefined || server.host !== undefined || server.hypervisor_hostname !== undefined) {
    enforce(forcedHostPolicy, caller)
    throw new CloudError(
      'Invalid',
      'A server cannot be sent to a named host in this cloud yet: leave its place to the scheduler.',
    )
  }
  if (zone !== 'nova') throw new CloudError('Invalid', 'The requested availability zone is not available')
}

/** How many servers are asked for: as many as can be had between the two. */
export function countsOf(server: NewServerRequest): Counts {
  const minCount = server.min_count ?? 1
  const maxCount = server.max_count ?? minCount
  if (minCount > maxCount) throw new CloudError('Invalid', 'min_count must be <= max_count')
  if (minCount > mostAtOnce) throw new CloudError('Invalid', `One request makes ${mostAtOnce} servers at the most: send several.`)
  return { minCount, maxCount: Math.min(maxCount, mostAtOnce) }
}

/** The image of a device that stands for the root disk itself: the form in which the OpenStack client names an image. */
export function bootImageOf(server: NewServerRequest): string | undefined {
  return server.block_device_mapping_v2?.find((device) => device.source_type === 'image')?.uuid
}

/** What belongs to services that this cloud does not have is refused in the words of the real one, never ignored. */
export function refuseWhatIsNotBuilt({ server, ...hints }: CreateServerBody): void {
  const devices = server.block_device_mapping_v2 ?? []
  const isRootDisk = (device: (typeof devices)[number]) =>
    device.source_type === 'image' &&
    (device.destination_type ?? 'local') === 'local' &&
    Number(device.boot_index ?? 0) === 0 &&
    (!server.imageRef || device.uuid === server.imageRef)
  if (devices.length > 1 || !devices.every(isRootDisk) || (server.block_device_mapping?.length ?? 0) > 0) {
    throw new CloudError('Invalid', 'Block Device Mapping is Invalid: this cloud has no volumes.')
  }
  if (server.trusted_image_certificates)
    throw new CloudError('Invalid', 'Image signature verification is not available in this cloud.')
  const wishes = hints['os:scheduler_hints'] ?? hints['OS-SCH-HNT:scheduler_hints'] ?? {}
  const [hint] = Object.keys(wishes)
  if (hint) throw new CloudError('Invalid', `The scheduler hint ${hint} is not known in this cloud.`)
}

/** The disk of such a server takes no room by the record, and on its host what its image says: 16 TiB, if a tenant likes. */
export function refuseBoundlessDisk(caller: Caller, flavor: FlavorRow): void {
  if (flavor.diskGiB > 0 || zeroDiskFlavorPolicy.rule(caller, {})) return
  throw new CloudError('Forbidden', 'Only volume-backed servers are allowed for flavors with zero disk.')
}

/** What the image needs is held against what the flavor gives (nova/compute/api.py, _validate_flavor_image). */
export function checkFit(flavor: FlavorRow, image: ServerImageRow): void {
  if (flavor.memoryMiB < image.minMemoryMiB) throw new CloudError('Invalid', "Flavor's memory is too small for requested image.")
  const diskBytes = flavor.diskGiB * gibibyte
  if (diskBytes === 0) return
  const needed = image.virtualBytes ?? image.sizeBytes
  if (needed > diskBytes) {
    throw new CloudError(
      'Invalid',
      `Flavor's disk is too small for requested image. Flavor disk is ${diskBytes} bytes, image is ${needed} bytes.`,
    )
  }
  const minimum = image.minDiskGiB * gibibyte
  if (minimum > diskBytes) {
    throw new CloudError(
      'Invalid',
      `Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${diskBytes} bytes, minimum size is ${minimum} bytes.`,
    )
  }
}
